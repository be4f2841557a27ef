import { createHash } from 'node:crypto'
import { FatalError, handler } from 'errand'
import { MAIL_LIMIT } from '../mails/contract.ts'
import { mailing } from '../mails/sending.ts'
import { pngSize } from '../pictures/png.ts'
import {
  cleanUp,
  type Facts,
  fileChain,
  fileEnded,
  fileTag,
  notifyFile,
  processFile,
  validateFile,
} from './contract.ts'
import { typeOf } from './type.ts'
import type { Uploads } from './uploads.ts'

export const makeFile = handler(fileChain, {
  async run({ fileId }, { id, fence, call, progress, resources }) {
    resources.documentRecords.uploads.needed(fileId, fence)
    const tags = [fileTag(id)]
    progress({ done: 0, total: 3, status: 'validating' })
    const valid = await call('validate', validateFile, { fileId }, { tags })
    progress({ done: 1, total: 3, status: 'processing' })
    const facts = await call('process', processFile, valid, { tags })
    progress({ done: 2, total: 3, status: 'notifying' })
    const { mailId } = await call('notify', notifyFile, { fileId, facts }, { tags })
    progress({ done: 3, total: 3, status: 'done' })
    return { facts, mailId }
  },
})

export const validate = handler(validateFile, {
  run({ fileId }, { resources: { documentRecords } }) {
    const { uploads } = documentRecords
    const { name } = needed(uploads, fileId)
    const type = typeOf(name, uploads.read(fileId))
    if (type === undefined) throw new FatalError('the file is not what its name says')
    return { fileId, type }
  },
})

export const processing = handler(processFile, {
  run({ fileId, type }, { resources: { documentRecords } }): Facts {
    const content = documentRecords.uploads.read(needed(documentRecords.uploads, fileId).id)
    const sha256 = createHash('sha256').update(content).digest('hex')
    return { type, bytes: content.length, sha256, ...detailsOf(type, content) }
  },
})

export const notify = handler(notifyFile, {
  async run({ fileId, facts }, { idempotencyKey, take, signal, resources }) {
    const { documentRecords, documentMails } = resources
    const { name, notify: to = 'documents@example.org' } = needed(documentRecords.uploads, fileId)
    const text = `${name} was taken in: ${facts.bytes} bytes, sha256 ${facts.sha256}.`
    await take(MAIL_LIMIT)
    const mail = { to, subject: `Your file ${name}`, text }
    return { mailId: await mailing(() => documentMails.send(mail, idempotencyKey, signal)) }
  },
})

export const release = handler(fileEnded, {
  run: ({ fence, input: { fileId } }, { resources: { documentRecords } }) =>
    documentRecords.uploads.ended(fileId, fence),
})

export const cleanUploads = handler(cleanUp, {
  run({ olderThanMs }, { log, resources: { documentRecords } }) {
    const removed = documentRecords.uploads.removeBefore(Date.now() - olderThanMs)
    log.info(`${removed} uploads were kept long enough`)
    return { removed }
  },
})

function needed(uploads: Uploads, fileId: string) {
  const upload = uploads.find(fileId)
  if (upload === undefined) throw new FatalError('the file is not there any more')
  return upload
}

function detailsOf(type: Facts['type'], content: Uint8Array): Partial<Facts> {
  if (type === 'png') return pngSize(content)
  if (type === 'pdf') return {}
  return { lines: Buffer.from(content).toString().trimEnd().split('\n').length }
}
