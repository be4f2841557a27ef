import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { newId } from '../../../src/base/id.ts'
import { encodePolicy } from '../../../src/job/policy.ts'
import { open } from '../../../src/open.ts'
import { documentPdf } from '../../../systems/documents/contract.ts'
import { openDocuments } from '../../../systems/documents/documents.ts'
import { Installation, until } from '../../support/command.ts'
import { openGround } from '../../support/ground.ts'
import { readStores, type StoreName } from '../../support/stores.ts'
import { setUp, POST, Started } from './setup.ts'

/** The same job with no time between its attempts, and little for each. */
const policy = { ...documentPdf.policy, backoff: [0], attempts: 4, softMs: 200, hardMs: 300 }
const quick = { ...documentPdf, policy, policyBytes: encodePolicy(policy) }

async function place(name: StoreName) {
  const ground = await openGround(name)
  const here = new Installation({ ERRAND_APP: join(import.meta.dirname, 'dying.app.ts') })
  const url = ground.fresh(here.folder)
  const location = join(here.folder, 'documents.db')
  const documents = openDocuments(location)
  const errand = await open(url)
  await here.startWith({ DOCUMENTS: location, ERRAND_STORE: url }, 'worker').said('worker started')
  return {
    errand,
    documents,
    /** Asks for a PDF as the server does. */
    request: async (documentId: number) => {
      const { id } = await errand.enqueue(quick, { documentId })
      documents.started(documentId, id)
      return id
    },
    isCleared: (documentId: number) =>
      until(
        () => (documents.find(documentId)?.inProgress ? undefined : true),
        'the mark was left behind',
      ),
    async [Symbol.asyncDispose]() {
      documents[Symbol.dispose]()
      await errand[Symbol.asyncDispose]()
      await here[Symbol.asyncDispose]()
      await ground[Symbol.asyncDispose]()
    },
  }
}

for (const name of readStores())
  test(`however a PDF job ends on ${name}, its document is not left in progress`, async () => {
    await using at = await place(name)
    const [thrown, killed, endless, cancelled] = await Promise.all([1, 2, 3, 4].map(at.request))
    await until(
      async () => (await at.errand.job(cancelled ?? '')).progress?.status,
      'nobody runs what is to be cancelled',
    )
    assert.equal(at.documents.find(4)?.inProgress, true)
    await at.errand.cancel(cancelled ?? '')
    const ends: [string | undefined, string, string | undefined][] = [
      [thrown, 'failed', 'error'],
      [killed, 'failed', 'crashed'],
      [endless, 'failed', 'timeout'],
      [cancelled, 'cancelled', undefined],
    ]
    for (const [i, [id = '', state, reason]] of ends.entries()) {
      const view = await at.errand.ended(id, 30_000)
      assert.deepEqual([view.state, view.reason], [state, reason])
      await at.isCleared(i + 1)
    }
    assert.deepEqual(await at.errand.verify(), [])
  })

test('a cancel that comes before the job begins takes the mark off, with a worker or without', async () => {
  await using system = await setUp()
  const { task_id: id } = Started.parse(await system.json('/documents/5/pdf', POST))
  assert.equal(system.documents.find(5)?.inProgress, true)
  const answer = await system.ask(`/documents/tasks/${id}/cancel`, POST)
  assert.equal(answer.status, 202)
  assert.match(await answer.text(), /"status":"REVOKED"/)
  assert.equal(system.documents.find(5)?.inProgress, false)
  const { task_id: other } = Started.parse(await system.json('/documents/6/pdf', POST))
  await system.errand.cancel(other)
  await using worker = await work(system)
  await until(() => (system.documents.find(6)?.inProgress ? undefined : true), 'the mark was left')
  assert.notEqual(worker.id, '')
})

test('a PDF that is tried again is marked at once, unless it has ended again by then', async () => {
  await using system = await setUp()
  const { documents } = system
  const { task_id: id } = Started.parse(await system.json('/documents/5/pdf', POST))
  await system.ask(`/documents/tasks/${id}/cancel`, POST)
  assert.equal(documents.find(5)?.inProgress, false)
  assert.equal((await system.ask(`/documents/tasks/${id}/retry`, POST)).status, 202)
  assert.equal(documents.find(5)?.inProgress, true)
  documents.ended(5, id, 10)
  const ended = documents.endedUnder(id)
  documents.ended(5, id, 11)
  documents.resumed(id, ended)
  assert.equal(documents.find(5)?.inProgress, false)
})

test('a mark that comes later than the end of its run is refused, and a later life sets it again', async () => {
  await using system = await setUp()
  const { documents } = system
  const [id, other] = [newId(), newId()]
  documents.ended(6, id, 10)
  documents.started(6, id)
  documents.started(6, id, 10)
  assert.equal(documents.find(6)?.inProgress, false)
  documents.started(6, id, 11)
  assert.equal(documents.find(6)?.inProgress, true)
  documents.ended(6, other, 5)
  assert.equal(documents.find(6)?.inProgress, true, 'another job’s end is not this one’s')
})

test('a request that the store refuses leaves no mark', async () => {
  await using system = await setUp()
  await system.errand.store[Symbol.asyncDispose]()
  const answer = await system.ask('/documents/7/pdf', POST)
  assert.equal(answer.status, 503)
  assert.equal(system.documents.find(7)?.inProgress, false)
})

async function work(system: Awaited<ReturnType<typeof setUp>>) {
  const worker = await system.work()
  return { id: worker.id, [Symbol.asyncDispose]: async () => void (await worker.stop()) }
}
