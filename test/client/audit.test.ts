import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '../../src/client/client.ts'
import { Schedules } from '../../src/client/schedules.ts'
import { nextCron } from '../../src/cron.ts'
import { defineJob } from '../../src/job/define.ts'
import type { ErrandError } from '../../src/job/errors.ts'
import type { Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Watch } from '../../src/watch/watch.ts'
import { Hand, running } from '../support/hand.ts'
import { chore, completed, failed } from '../support/jobs.ts'
import { anything } from '../support/schema.ts'
import { callOn, divert } from '../support/rotation.ts'

const plain = defineJob({ name: 'plain', input: anything() })
const by = { person: 'Ada', from: 'cli', note: 'as agreed' }

async function opened(lend: (store: Store) => Store = (store) => store) {
  const store = await SqliteStore.open(':memory:')
  const hand = await Hand.register(store)
  const watch = new Watch(store)
  return {
    store,
    client: new Client(lend(store)),
    hand,
    broken: async () => {
      const job = await running(store, hand, chore())
      await hand.settle(job, failed())
      return job.id
    },
    log: async () =>
      (await watch.audit({}, 100)).entries.map(({ n: _, at: __, ...entry }) => entry),
    watch,
    [Symbol.asyncDispose]: async () => {
      watch[Symbol.dispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

test('each act is written down with who did it and why, and nothing that a job carries', async () => {
  await using here = await opened()
  const [idle, retried, discarded] = [chore(), await here.broken(), await here.broken()]
  await here.store.insert([idle])
  await here.client.signal(idle.id, 'go', { secret: 'a canary' }, { by })
  await here.client.cancel(idle.id, { by })
  await here.client.retry(retried, { input: { secret: 'a canary' }, by })
  await here.client.discard(discarded, { by })
  await here.client.erase(idle.id, { by })
  assert.deepEqual((await here.log()).toReversed(), [
    { act: 'signal', jobs: [idle.id], signal: 'go', ...by },
    { act: 'cancel', jobs: [idle.id], ...by },
    { act: 'retry', jobs: [retried], newInput: true, ...by },
    { act: 'discard', jobs: [discarded], ...by },
    { act: 'erase', jobs: [idle.id], ...by },
  ])
  const bytes = Buffer.concat((await here.store.audits(100)).map(({ entry }) => entry))
  assert.equal(bytes.includes('canary'), false)
})

test('what is done to a batch or a schedule is written down, and what changes nothing is not', async () => {
  await using here = await opened()
  const { batches } = new Client(here.store, [plain])
  const { id } = await batches.enqueue(plain, [1])
  await batches.cancel(id, { by })
  await batches.retry(id, { cancelled: true, by })
  await assert.rejects(batches.cancel(chore().id, { by }))
  await assert.rejects(batches.retry(chore().id, { by }))

  const schedules = new Schedules(here.store, () => plain, { next: nextCron })
  await schedules.put('nightly', plain, 'a canary', { every: '1d', tenant: 'acme' }, { by })
  await schedules.pause('acme/nightly', { by })
  await schedules.pause('acme/nightly', { by })
  await schedules.resume('acme/nightly', { by })
  const run = await schedules.run('acme/nightly', { once: 'key', by })
  await schedules.run('acme/nightly', { once: 'key', by })
  await schedules.remove('acme/nightly', { by })
  await assert.rejects(schedules.remove('acme/nightly', { by }))
  const schedule = 'acme/nightly'
  assert.deepEqual((await here.log()).toReversed(), [
    { act: 'cancel', jobs: [], batch: id, ...by },
    { act: 'retry', jobs: [], batch: id, ...by },
    { act: 'put', jobs: [], schedule, ...by },
    { act: 'pause', jobs: [], schedule, ...by },
    { act: 'resume', jobs: [], schedule, ...by },
    { act: 'run', jobs: [run.id], schedule, ...by },
    { act: 'remove', jobs: [], schedule, ...by },
  ])
})

test('an act on many jobs is written down a page at a time, a dry run not at all', async () => {
  await using here = await opened()
  const ids = [await here.broken(), await here.broken()]
  await here.client.bulk.run('retry', { state: 'failed' }, { dryRun: true, by })
  await here.client.bulk.run('retry', { state: 'failed', job: 'another' }, { by })
  assert.deepEqual(await here.log(), [])
  await here.client.bulk.run('retry', { state: 'failed' }, { by })
  const [entry, ...more] = await here.log()
  assert.deepEqual([entry?.act, entry?.jobs.toSorted(), more], ['retry', ids.toSorted(), []])
})

test('what a program does on nobody’s behalf is not written down', async () => {
  await using here = await opened()
  await here.client.retry(await here.broken())
  assert.deepEqual(await here.log(), [])
})

test('what is refused is not written down', async () => {
  await using here = await opened()
  const job = await running(here.store, here.hand, chore())
  await assert.rejects(here.client.erase(job.id, { by }))
  await assert.rejects(here.client.discard(job.id, { by }))
  await here.hand.settle(job, completed())
  const acts = [
    here.client.cancel(job.id, { by }),
    here.client.retry(job.id, { by }),
    here.client.signal(job.id, 'go', 1, { by }),
    here.client.retry(chore().id, { by }),
  ]
  assert.deepEqual(
    (await Promise.allSettled(acts)).map(({ status }) => status),
    Array.from(acts, () => 'rejected'),
  )
  assert.deepEqual(await here.log(), [])
})

test('a process that dies before it acted leaves a line about what was asked', async () => {
  await using here = await opened((store) =>
    divert(store, (name, args) => {
      if (name === 'retry') throw new Error('it died')
      return callOn(store, name, args)
    }),
  )
  const id = await here.broken()
  await assert.rejects(async () => here.client.retry(id, { by }))
  assert.deepEqual(await here.log(), [{ act: 'retry', jobs: [id], ...by }])
})

test('an act that cannot be written down is not done', async () => {
  await using here = await opened()
  const id = await here.broken()
  const tooLong = { ...by, note: 'x'.repeat(501) }
  await assert.rejects(here.client.discard(id, { by: tooLong }), (error: ErrandError) =>
    /note/.test(error.message),
  )
  assert.equal((await here.store.find([id]))[0]?.state, 'failed')
})

test('the log is read by person, act and job, and goes on where a page ended', async () => {
  await using here = await opened()
  const ids = [await here.broken(), await here.broken(), await here.broken()] as const
  for (const id of ids) await here.client.retry(id, { by })
  await here.client.cancel(ids[0], { by: { person: 'Bob' } })
  const read = async (...call: Parameters<Watch['audit']>) => {
    const { entries, next } = await here.watch.audit(...call)
    return { said: entries.map(({ act, jobs }) => [act, ...jobs]), next }
  }
  assert.deepEqual((await read({ person: 'Bob' })).said, [['cancel', ids[0]]])
  assert.equal((await read({ act: 'retry' })).said.length, 3)
  assert.deepEqual((await read({ job: ids[0] })).said, [
    ['cancel', ids[0]],
    ['retry', ids[0]],
  ])
  const first = await read({}, 2)
  assert.deepEqual((await read({}, 10, first.next)).said, [
    ['retry', ids[1]],
    ['retry', ids[0]],
  ])
})
