import { randomUUID } from 'node:crypto'
import assert from 'node:assert/strict'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { open } from 'errand'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { documentsApp } from '../../../systems/documents/app.ts'
import { documentPdf } from '../../../systems/documents/contract.ts'
import { exportTable } from '../../../systems/documents/exports/contract.ts'
import { fileChain } from '../../../systems/documents/files/contract.ts'
import { importContacts } from '../../../systems/documents/imports/contract.ts'
import { sendMail } from '../../../systems/documents/mails/contract.ts'
import { openRecords } from '../../../systems/documents/records.ts'
import { mailApi } from '../../../systems/documents/stand-in/mail-api.ts'
import { RedisServer } from '../../support/servers/redis.ts'
import { readStores } from '../../support/stores.ts'

/** Commands that would reach what belongs to others, or to whoever runs the server. */
const FORBIDDEN = [
  'flushall',
  'flushdb',
  'swapdb',
  'config',
  'keys',
  'debug',
  'shutdown',
  'replicaof',
]
const PASSWORD = 'a-password-of-this-test'
const FOREIGN = 1000

if (readStores().includes('redis'))
  test('beside a thousand keys of others all of it runs, touches none of them, and needs no command that could', async () => {
    await using server = await RedisServer.start('--appendfsync', 'always')
    using dir = mkdtempDisposableSync(join(tmpdir(), 'errand-documents-'))
    await using mails = await openStandIn(mailApi(), 0)
    const admin = new Redis(server.port, '127.0.0.1')
    const before = await seed(admin)
    // Whoever holds this account cannot read or write a key without the prefix.
    const mayNot = FORBIDDEN.map((command) => `-${command}`)
    const account = ['on', `>${PASSWORD}`, '~{shared}:*', '&*', '+@all', ...mayNot]
    await admin.acl('SETUSER', 'errand', ...account)

    const place = { database: join(dir.path, 'documents.db'), uploads: join(dir.path, 'uploads') }
    const app = documentsApp({ ...place, mailUrl: mails.url, mailRate: '1000/s' })
    const url = `redis://errand:${PASSWORD}@127.0.0.1:${server.port}?prefix=shared`
    {
      await using errand = await open(url, { jobs: app.jobs, files: `file:${dir.path}/files` })
      using records = openRecords(place)
      const worker = await errand.work(app)
      const csv = Buffer.from('name,email\nAda,ada@example.net\nBob,nowhere\n')
      const fileId = randomUUID()
      records.uploads.add({ id: fileId, name: 'people.csv', notify: undefined }, csv)
      const asked = await Promise.all([
        errand.enqueue(documentPdf, { documentId: 1 }),
        errand.enqueue(documentPdf, { documentId: 50 }),
        errand.enqueue(fileChain, { fileId }),
        errand.enqueue(importContacts, { fileId }),
        errand.enqueue(exportTable, { table: 'documents', format: 'xlsx' }),
        errand.schedules.run('documents.clean-up'),
      ])
      const text = { subject: 'Hello', text: 'There', tenant: '', first: undefined }
      records.mailings.add({ id: fileId, ...text })
      const items = records.contacts.ids(20).map((contactId) => ({ mailingId: fileId, contactId }))
      const { id: batch } = await errand.enqueueBatch(sendMail, items)
      const ends = await Promise.all(asked.map(({ id }) => errand.ended(id, 20_000)))
      assert.deepEqual(
        ends.map(({ state }) => state).filter((state) => state !== 'completed'),
        ['failed'],
      )
      assert.equal((await errand.watch.batchEnded(batch, 20_000)).completed, 20)
      assert.deepEqual(await errand.verify(), [])
      await worker.stop()
    }
    const names = await admin.keys('*')
    const own = names.filter((name) => !name.startsWith('other:'))
    assert.notDeepEqual(own, [])
    assert.deepEqual(
      own.filter((name) => !name.startsWith('{shared}:')),
      [],
    )
    assert.deepEqual(await readForeign(admin), before)
    admin.disconnect()
  })

/** Keys as a cache, a session store and another queue would have them. */
async function seed(admin: Redis) {
  const pipeline = admin.pipeline()
  for (let i = 0; i < FOREIGN; i += 4) {
    pipeline.set(`other:cache:${i}`, `value ${i}`)
    pipeline.hset(`other:session:${i + 1}`, 'user', `${i}`)
    pipeline.rpush(`other:queue:${i + 2}`, 'a', 'b')
    pipeline.zadd(`other:delayed:${i + 3}`, i, 'job')
  }
  await pipeline.exec()
  return readForeign(admin)
}

/** What each of them holds, as the server itself would move it elsewhere. */
async function readForeign(admin: Redis): Promise<[string, string][]> {
  const names = (await admin.keys('other:*')).toSorted()
  const dumps = await Promise.all(names.map((name) => admin.dumpBuffer(name)))
  assert.equal(names.length, FOREIGN)
  return names.map((name, i) => [name, dumps[i]?.toString('base64') ?? ''])
}
