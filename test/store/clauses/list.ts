import assert from 'node:assert/strict'
import type { JobId } from '../../../src/job/job.ts'
import { STATES } from '../../../src/job/state.ts'
import type { Filter, Store } from '../../../src/store/contract.ts'
import { Hand, idsOf, only, running } from '../../support/hand.ts'
import { cancelled, chore, chores, completed, failed, HOUR, parked } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const PAGES_MAX = 500

/** Every job a filter finds, page by page; `between` happens after each page. */
async function walk(
  store: Store,
  filter: Filter,
  limit: number,
  between?: () => Promise<unknown>,
): Promise<JobId[]> {
  const ids: JobId[] = []
  let cursor: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const { jobs, next } = await store.list(filter, limit, cursor)
    assert(jobs.length <= limit)
    ids.push(...idsOf(jobs))
    if (next === undefined) return ids
    cursor = next
    await between?.()
  }
  return assert.fail('the pages never end')
}

async function oneOfEach(store: Store): Promise<void> {
  const worker = await Hand.register(store)
  for (const outcome of [completed(), failed(), cancelled(), parked()])
    await worker.settle(await running(store, worker, chore()), outcome)
  await running(store, worker, chore())
  await store.insert([chore(), chore({ delayMs: HOUR })])
}

export const list: Clauses = {
  'C10 every state lists its jobs': async (store) => {
    await oneOfEach(store)
    for (const state of STATES)
      assert.equal(only((await store.list({ state }, 10)).jobs).state, state)
    assert.equal((await store.list({}, 10)).jobs.length, 7)
  },

  'C10 filters by name, queue, tag and tenant hold together': async (store) => {
    const wanted = chore({ job: 'rare', queue: 'mail', tenant: 'acme', tags: ['blue', 'big'] })
    await store.insert([
      wanted,
      { ...wanted, id: chore().id, job: 'other' },
      { ...wanted, id: chore().id, queue: 'default' },
      { ...wanted, id: chore().id, tenant: '' },
      { ...wanted, id: chore().id, tags: ['big'] },
    ])
    const filter = { job: 'rare', queue: 'mail', tenant: 'acme', tag: 'blue' }
    for (const more of [{}, { state: 'ready' } as const])
      assert.equal(only((await store.list({ ...filter, ...more }, 10)).jobs).id, wanted.id)
    for (const [key, value] of Object.entries(filter))
      assert.equal((await store.list({ [key]: value }, 10)).jobs.length, 4)
    assert.deepEqual((await store.list({ ...filter, state: 'failed' }, 10)).jobs, [])
  },

  'C10 a tenant sees its own jobs only': async (store) => {
    const [own, foreign] = [chores(30, { tenant: 'acme' }), chores(30, { tenant: 'other' })]
    await store.insert([...own, ...foreign, ...chores(5)])
    assert.deepEqual((await walk(store, { tenant: 'acme' }, 7)).toSorted(), idsOf(own).toSorted())
    assert.equal((await walk(store, { tenant: '' }, 7)).length, 5)
    assert.deepEqual(await walk(store, { tenant: 'nobody' }, 7), [])
  },

  'C10 a cursor goes on and neither repeats nor skips': async (store) => {
    const jobs = chores(95)
    await store.insert(jobs)
    for (const filter of [{}, { state: 'ready' } as const, { queue: 'default' }, { tenant: '' }]) {
      const whole = await walk(store, filter, 200)
      assert.deepEqual(whole.toSorted(), idsOf(jobs).toSorted())
      assert.deepEqual(await walk(store, filter, 10), whole)
    }
  },

  'C10 a cursor of any list goes on, also among jobs that ended or are due at one moment': async (
    store,
  ) => {
    const worker = await Hand.register(store)
    for (const outcome of [failed(), cancelled(), completed(), parked()]) {
      await store.insert(chores(25))
      await worker.settleAll(await worker.claim(25), outcome)
    }
    await store.insert(chores(25))
    await worker.claim(25)
    await store.insert([...chores(25), ...chores(25, { delayMs: HOUR, tags: ['late'] })])
    for (const state of STATES) assert.equal(new Set(await walk(store, { state }, 4)).size, 25)
    assert.equal((await walk(store, { tag: 'late' }, 4)).length, 25)
  },

  'C10 a cursor holds while jobs come in and change': async (store) => {
    const worker = await Hand.register(store)
    const jobs = chores(60)
    await store.insert(jobs)
    const ids = await walk(store, {}, 10, async () => {
      await store.insert(chores(3))
      await worker.settleAll(await worker.claim(4), completed())
    })
    assert.equal(new Set(ids).size, ids.length)
    assert.deepEqual(
      jobs.filter((job) => !ids.includes(job.id)),
      [],
    )
  },

  'C10 a rare job is found behind thousands of others': async (store) => {
    const rare = chores(3, { job: 'rare' })
    const [first, second, third] = rare
    assert(first && second && third)
    await store.insert([first, ...chores(1600), second, ...chores(900), third])
    assert.deepEqual((await walk(store, { job: 'rare' }, 10)).toSorted(), idsOf(rare).toSorted())
    assert.deepEqual(await walk(store, { job: 'never' }, 10), [])
  },
}
