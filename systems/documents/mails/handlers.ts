import { FatalError, handler } from 'errand'
import { MAIL_LIMIT, sendMail } from './contract.ts'
import { type MailApi, MailRefused } from './mail-api.ts'
import { mailing } from './sending.ts'

declare module 'errand' {
  interface Resources {
    documentMails: MailApi
  }
}

export const send = handler(sendMail, {
  async run({ mailingId, contactId }, { idempotencyKey, take, signal, resources }) {
    const { documentMails, documentRecords } = resources
    const { mailings, contacts } = documentRecords
    const text = mailings.find(mailingId)
    const contact = contacts.find(contactId)
    if (!text || !contact) throw new FatalError('the mailing or the contact is gone')

    await take(MAIL_LIMIT)
    const mail = { to: contact.address, subject: text.subject, text: text.text }
    const mailId = await mailing(async () => {
      try {
        return await documentMails.send(mail, idempotencyKey, signal)
      } catch (error) {
        if (error instanceof MailRefused) mailings.refused(mailingId, contactId, error.message)
        throw error
      }
    })
    mailings.sent(mailingId, contactId)
    return { mailId }
  },
})
