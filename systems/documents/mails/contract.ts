import { defineJob, exponential } from 'errand'
import { z } from 'zod'
import { settings } from '../settings.ts'

/** How often the mail API may be called, by everything here together. */
export const MAIL_LIMIT = 'documents.mail'

/** One mail of a mailing. Only numbers travel: neither address nor text lies in a store. */
export const sendMail = defineJob({
  name: 'documents.mail',
  input: z.object({ mailingId: z.uuid(), contactId: z.int() }),
  output: z.object({ mailId: z.string() }),
  data: 'reference',
  references: ['mailingId', 'contactId', 'mailId'],
  backoff: exponential(settings.retry),
  // Who waits for the rate keeps its place: others need some too.
  limits: [{ key: MAIL_LIMIT, running: settings.mailAtOnce }],
})
