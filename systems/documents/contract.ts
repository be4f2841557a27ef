import { defineJob, exponential } from 'errand'
import { z } from 'zod'

/** What a finished job leaves behind, beside the file itself. */
export const PdfResult = z.object({ file: z.string(), pages: z.int(), bytes: z.int() })

/** Makes the PDF of one project document. Only the document's id travels; the handler loads the rest. */
export const documentPdf = defineJob({
  name: 'documents.pdf',
  input: z.object({ documentId: z.int() }),
  output: PdfResult,
  attempts: 4,
  backoff: exponential('1m'), // waits of 60, 120 and 240 s
  timeout: '60s',
  keep: { record: '7d', failed: '30d' },
  unique: { by: ({ documentId }) => `${documentId}` },
})
