import { FatalError, Hold } from 'errand'
import { MAIL_LIMIT } from './contract.ts'
import { MailBusy, MailRefused } from './mail-api.ts'

/**
 * Sends a mail, and says in Errand's words what becomes of the job when that goes wrong. What the API says of a refusal
 * may name the address, so it stays out of the job.
 */
export async function mailing(send: () => Promise<string>): Promise<string> {
  try {
    return await send()
  } catch (error) {
    if (error instanceof MailRefused) throw new FatalError('the mail API refused the mail')
    if (error instanceof MailBusy) throw new Hold(MAIL_LIMIT, error.ms, { cause: error })
    throw error
  }
}
