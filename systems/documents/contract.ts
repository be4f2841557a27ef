import { defineJob, exponential } from 'errand'
import { z } from 'zod'
import { settings } from './settings.ts'

/** What a finished job leaves behind, beside the file itself. */
export const PdfResult = z.object({ file: z.string(), pages: z.int(), bytes: z.int() })

const PdfInput = z.object({ documentId: z.int() })

/** Takes the mark off a document whose PDF job has ended, however it ended. */
export const pdfEnded = defineJob({
  name: 'documents.pdf-ended',
  input: z.object({ id: z.uuid(), fence: z.int(), input: PdfInput }),
  priority: 'high',
  attempts: 100,
  backoff: exponential('1s', { max: '1m' }),
})

/** Makes the PDF of one project document. Only the document's id travels; the handler loads the rest. */
export const documentPdf = defineJob({
  name: 'documents.pdf',
  input: PdfInput,
  output: PdfResult,
  attempts: 4,
  backoff: exponential(settings.retry), // waits of 60, 120 and 240 s
  timeout: settings.pdfTimeout,
  keep: { record: '7d', failed: '30d' },
  unique: { by: ({ documentId }) => `${documentId}` },
  onSuccess: pdfEnded,
  onFailure: pdfEnded,
})
