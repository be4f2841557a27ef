import { defineJob, exponential } from 'errand'
import { z } from 'zod'
import { aboutFile } from '../files/contract.ts'
import { settings } from '../settings.ts'

/** Takes the contacts of an uploaded CSV in. A row that does not fit is told by its number, and the others come in. */
export const importContacts = defineJob({
  name: 'documents.import',
  input: z.object({ fileId: z.uuid() }),
  output: z.object({ rows: z.int(), imported: z.int(), refused: z.int() }),
  backoff: exponential(settings.retry),
  ...aboutFile,
})
