import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pauses } from '../../src/client/pauses.ts'
import { hasCode } from '../../src/job/errors.ts'
import { ENTRIES_MAX, PAUSE, type Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Watch } from '../../src/watch/watch.ts'
import { HandClock } from '../support/clock.ts'
import { change } from '../support/entries.ts'
import { only } from '../support/hand.ts'
import { chore, SECOND } from '../support/jobs.ts'
import { callOn, divert } from '../support/rotation.ts'

const ada = { by: { person: 'Ada', from: 'cli' } }

async function opened(lend: (store: Store) => Store = (store) => store) {
  const clock = new HandClock()
  const store = await SqliteStore.open(':memory:', { clock })
  const watch = new Watch(store)
  return {
    clock,
    store,
    watch,
    pauses: new Pauses(lend(store)),
    log: async () =>
      (await watch.audit({}, 100)).entries.map(({ n: _, at: __, ...entry }) => entry),
    [Symbol.asyncDispose]: async () => {
      watch[Symbol.dispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

test('a paused queue is shown with its reason, who paused it and since when', async () => {
  await using here = await opened()
  await here.store.insert([chore()])
  const since = new Date(here.clock.now()).toISOString()
  const paused = { since, person: 'Ada', reason: 'the printer is down' }
  const answer = await here.pauses.pause('default', { reason: paused.reason, ...ada })
  assert.deepEqual(answer, { paused, already: false })
  const shown = only(await here.watch.queues())
  assert.deepEqual([shown.ready, shown.paused], [1, paused])
  assert.deepEqual(await here.pauses.resume('default', ada), { already: false })
  assert.equal(only(await here.watch.queues()).paused, undefined)
})

test('a queue may be paused before it has seen a job', async () => {
  await using here = await opened()
  await here.store.insert([chore({ queue: 'mail' })])
  await here.pauses.pause('letters')
  const shown = await here.watch.queues()
  assert.deepEqual(
    shown.map(({ queue, accepted, paused }) => [queue, accepted, paused !== undefined]),
    [
      ['letters', 0, true],
      ['mail', 1, false],
    ],
  )
})

test('a queue that is paused stays so as it was, and one that is not is resumed by nobody', async () => {
  await using here = await opened()
  const { paused } = await here.pauses.pause('default', { reason: 'first', ...ada })
  here.clock.advance(SECOND)
  const again = await here.pauses.pause('default', { reason: 'second', by: { person: 'Bob' } })
  assert.deepEqual(again, { paused, already: true })
  await here.pauses.resume('default', ada)
  assert.deepEqual(await here.pauses.resume('default', ada), { already: true })
  assert.deepEqual((await here.log()).toReversed(), [
    { act: 'pause', jobs: [], queue: 'default', ...ada.by, note: 'first' },
    { act: 'resume', jobs: [], queue: 'default', ...ada.by },
  ])
})

test('of many who pause a queue at once one does, and all are told the same', async () => {
  await using here = await opened()
  const persons = Array.from({ length: 20 }, (_, i) => ({ by: { person: `${i}` } }))
  const answers = await Promise.all(persons.map((by) => here.pauses.pause('default', by)))
  assert.equal(answers.filter(({ already }) => !already).length, 1)
  assert.equal(new Set(answers.map(({ paused }) => paused.person)).size, 1)
})

test('a process that dies before it paused leaves a line about what was asked', async () => {
  await using here = await opened((store) =>
    divert(store, (name, args) => {
      if (name === 'put') throw new Error('it died')
      return callOn(store, name, args)
    }),
  )
  await assert.rejects(here.pauses.pause('default', ada))
  assert.deepEqual(await here.log(), [{ act: 'pause', jobs: [], queue: 'default', ...ada.by }])
  assert.deepEqual(await here.watch.queues(), [])
})

test('what is no queue and no reason is refused, and so is one pause too many', async () => {
  await using here = await opened()
  const isInvalid = (error: unknown) => hasCode(error, 'INVALID_OPTION')
  await assert.rejects(here.pauses.pause('No Queue', ada), isInvalid)
  await assert.rejects(here.pauses.resume('No Queue', ada), isInvalid)
  await assert.rejects(here.pauses.pause('a', { reason: 'x'.repeat(501), ...ada }), isInvalid)
  assert.deepEqual(await here.log(), [])
  await here.store.put(
    Array.from({ length: ENTRIES_MAX }, (_, i) => change({ kind: PAUSE, name: `q${i}` })),
  )
  await assert.rejects(here.pauses.pause('a'), (error) => hasCode(error, 'PAUSES_FULL'))
})

test('a pause that nobody can read is a pause', async () => {
  await using here = await opened()
  await here.store.put([change({ kind: PAUSE, name: 'default' })])
  assert.match(only(await here.watch.queues()).paused?.reason ?? '', /cannot be read/)
  assert.deepEqual(await here.pauses.resume('default'), { already: false })
})
