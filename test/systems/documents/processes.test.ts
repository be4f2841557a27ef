import { randomUUID } from 'node:crypto'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { mailApi } from '../../../systems/documents/stand-in/mail-api.ts'
import { samplePicture } from '../../../systems/documents/pictures/sample.ts'
import { open } from '../../../src/open.ts'
import {
  fileChain,
  fileTag,
  notifyFile,
  processFile,
  validateFile,
} from '../../../systems/documents/files/contract.ts'
import { documentPdf } from '../../../systems/documents/contract.ts'
import { picture, resizePicture } from '../../../systems/documents/pictures/contract.ts'
import { openRecords } from '../../../systems/documents/records.ts'
import { Installation, until } from '../../support/command.ts'

const APP = join(import.meta.dirname, '../../../systems/documents/app.ts')
const DYING = join(import.meta.dirname, 'dying-chain.app.ts')

/** Real processes on a folder of their own, and what a server would do there. */
async function place(app: string, env: Record<string, string> = {}) {
  const mails = await openStandIn(mailApi(), 0)
  const here = new Installation({ ERRAND_APP: app, DOCUMENTS_MAIL_URL: mails.url, ...env })
  const errand = await open(`sqlite:${here.folder}/errand.db`)
  const uploads = `${here.folder}/documents-uploads`
  const records = openRecords({ database: `${here.folder}/documents.db`, uploads })
  return {
    here,
    errand,
    records,
    mails,
    async [Symbol.asyncDispose]() {
      await errand[Symbol.asyncDispose]()
      await here[Symbol.asyncDispose]()
      records[Symbol.dispose]()
      await mails[Symbol.asyncDispose]()
    },
  }
}

test('a chain whose second job dies with its process goes on there, and one mail is sent', async () => {
  await using at = await place(DYING)
  const { errand, records, here } = at
  await here.start('worker').said('worker started')
  const fileId = randomUUID()
  records.uploads.add({ id: fileId, name: 'notes.txt', notify: undefined }, Buffer.from('one'))
  const { id } = await errand.enqueue(fileChain, { fileId })
  assert.equal((await errand.ended(id, 30_000)).state, 'completed')
  const runs = async (job: string) => {
    const { jobs } = await errand.list({ tag: fileTag(id), job }, 10)
    const [attempts = []] = await Promise.all(jobs.map((one) => errand.attempts(one.id)))
    return [jobs.length, ...attempts.map(({ outcome }) => outcome)]
  }
  assert.deepEqual(await runs(validateFile.name), [1])
  assert.deepEqual(await runs(processFile.name), [1, 'crashed'])
  assert.deepEqual(await runs(notifyFile.name), [1])
  const { count } = Count.parse(await (await fetch(`${at.mails.url}/mails`)).json())
  assert.equal(count, 1)
  assert.deepEqual(await errand.verify(), [])
})

test('while four pictures burn the machine, its worker lives and a PDF is made beside them', async () => {
  await using at = await place(APP, { DOCUMENTS_CPU_AT_ONCE: '4' })
  const { errand, records, here } = at
  await here.start('worker').said('worker started')
  const png = samplePicture(3000, 2000)
  const ids = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const fileId = randomUUID()
      records.uploads.add({ id: fileId, name: 'hills.png', notify: undefined }, png)
      return (await errand.enqueue(picture, { fileId })).id
    }),
  )
  const running = () => errand.list({ job: resizePicture.name, state: 'running' }, 20)
  await until(async () => ((await running()).jobs.length >= 2 ? true : undefined), 'none began')
  const { id: pdf } = await errand.enqueue(documentPdf, { documentId: 1 })
  assert.equal((await errand.ended(pdf, 30_000)).state, 'completed')
  const open = await Promise.all(ids.map((id) => errand.job(id)))
  assert.ok(
    open.some(({ state }) => state !== 'completed'),
    'the PDF did not wait for all pictures',
  )
  const ends = await Promise.all(ids.map((id) => errand.ended(id, 60_000)))
  assert.deepEqual(
    ends.map(({ state }) => state),
    Array(4).fill('completed'),
  )
  const workers = await errand.watch.workers()
  assert.deepEqual(
    workers.map(({ alive }) => alive),
    [true],
    'nobody was taken for dead',
  )
})

const Count = z.object({ count: z.int() })
