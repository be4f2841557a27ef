import assert from 'node:assert/strict'
import type { NewArtifact } from '../../../src/job/outcome.ts'
import { Hand, only, running, seen } from '../../support/hand.ts'
import { chore, completed, DAY, HOUR } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

const file = (name: string, keepMs: number): NewArtifact => ({
  file: name,
  type: 'text/csv',
  bytes: 12,
  sha256: 'ab'.repeat(32),
  keepMs,
})

export const artifact: Clauses = {
  'C3 completion records the files of the attempt': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await worker.settle(job, completed({ artifacts: [file('a.csv', HOUR), file('ä b.csv', DAY)] }))
    const { artifacts } = await seen(store, job.id)
    const [first] = artifacts
    const { keepMs: _, ...given } = file('a.csv', HOUR)
    assert.deepEqual(first, { ...given, fence: job.fence, expiresAt: clock.now() + HOUR })
    assert.deepEqual(
      artifacts.map((one) => one.file),
      ['a.csv', 'ä b.csv'],
    )
  },

  'C3 a stale or repeated completion records no files': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const stale = { id: job.id, fence: job.fence - 1 }
    await worker.settle(stale, completed({ artifacts: [file('stale.csv', DAY)] }))
    await worker.settle(job, completed({ artifacts: [file('a.csv', DAY)] }))
    await worker.settle(job, completed({ artifacts: [file('again.csv', DAY)] }))
    assert.equal(only((await seen(store, job.id)).artifacts).file, 'a.csv')
  },

  'C10 a purge names the erased jobs that still had files': async (store, clock) => {
    const worker = await Hand.register(store)
    const [left, struck, bare] = [
      await running(store, worker, chore()),
      await running(store, worker, chore()),
      await running(store, worker, chore()),
    ]
    await worker.settleAll(
      [left, struck],
      completed({ artifacts: [file('a.csv', HOUR), file('b.csv', HOUR)] }),
    )
    await worker.settle(bare, completed())
    await store.forget(['a.csv', 'b.csv'].map((name) => ({ id: struck.id, file: name })))
    clock.advance(2 * DAY)
    assert.deepEqual(await store.purge(10), { erased: 3, withFiles: [left.id] })
    assert.deepEqual(await store.expired(10), [])
  },

  'C10 files whose time is over are named until they are struck off': async (store, clock) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    const artifacts = [file('soon.csv', HOUR), file('late.csv', DAY), file('too.csv', HOUR)]
    await worker.settle(job, completed({ artifacts, keepMs: 2 * DAY }))
    assert.deepEqual(await store.expired(10), [])
    clock.advance(HOUR)
    assert.equal((await store.expired(1)).length, 1)
    const over = await store.expired(10)
    assert.deepEqual(over.map((one) => one.file).toSorted(), ['soon.csv', 'too.csv'])
    for (const one of over) assert.deepEqual([one.id, one.fence], [job.id, job.fence])

    await store.forget(over.map(({ id, file: name }) => ({ id, file: name })))
    await store.forget([{ id: job.id, file: 'never-there.csv' }])
    assert.deepEqual(await store.expired(10), [])
    assert.equal(only((await seen(store, job.id)).artifacts).file, 'late.csv')
  },
}
