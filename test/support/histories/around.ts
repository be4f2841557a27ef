import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { LEASE_MS } from '../hand.ts'
import * as draw from './draw.ts'
import { BATCHES, type Stage } from './stage.ts'
import { step, withHook } from './step.ts'

export const insert = step('insert', draw.newJobs, (stage, drawn) => {
  const jobs = drawn.map(({ runIn, ...job }) => ({
    ...job,
    ...(runIn !== undefined && { runAt: stage.clock.now() + runIn }),
  }))
  return stage.both('insert', [jobs], stage.store.insert(jobs), () => stage.model.insert(jobs))
})

export const cancel = step('cancel', draw.cancels, (stage, drawn) => {
  const cancels = drawn.map(({ which, outcome, hook }) => {
    const id = stage.id(which)
    return { id, outcome: withHook(stage, id, outcome, hook) }
  })
  return stage.both('cancel', [cancels], stage.store.cancel(cancels), () =>
    stage.model.cancel(cancels),
  )
})

export const retry = step(
  'retry',
  fc.record({ several: draw.several, input: fc.option(draw.bytes, { nil: undefined }) }),
  (stage, { several, input }) => {
    const ids = several.map((which) => stage.id(which))
    return stage.both('retry', [ids, input], stage.store.retry(ids, input), () =>
      stage.model.retry(ids, input),
    )
  },
)

export const erase = step('erase', draw.several, (stage, several) => {
  const ids = several.map((which) => stage.id(which))
  return stage.both('erase', [ids], stage.store.erase(ids), () => stage.model.erase(ids))
})

export const post = step('post', draw.letters, (stage, drawn) => {
  const letters = drawn.map(({ which, ...letter }) => ({ to: stage.id(which), ...letter }))
  return stage.both('post', [letters], stage.store.post(letters), () => stage.model.post(letters))
})

export const unpark = step('unpark', draw.names, (stage, names) =>
  stage.both('unpark', [names], stage.store.unpark(names), () => stage.model.unpark(names)),
)

export const put = step('put', draw.change, (stage, { isStale, atIn, job, ...drawn }) => {
  const stands = stage.model.ledger.entries.get(`${drawn.kind} ${drawn.name}`)?.stamp
  const expect = isStale ? stage.stamp() : stands
  const change = {
    ...drawn,
    stamp: stage.stamp(),
    ...(expect !== undefined && { expect }),
    ...(atIn !== undefined && { at: stage.clock.now() + atIn }),
    ...(job && { jobs: [job] }),
  }
  return stage.both('put', [change], stage.store.put([change]), () => stage.model.put([change]))
})

export const register = step('register', draw.slot, (stage, slot) => stage.register(slot))

export const renew = step('renew', draw.slot, (stage, slot) => renewOne(stage, slot))

const renewOne = (stage: Stage, slot: number) => {
  const worker = stage.worker(slot)
  return stage.both('renew', [worker], stage.store.renew(worker), () => stage.model.renew(worker))
}

export const retire = step('retire', draw.slot, (stage, slot) => {
  const worker = stage.worker(slot)
  return stage.both('retire', [worker], stage.store.retire(worker), () =>
    stage.model.retire(worker),
  )
})

/** Which of the ripe jobs go first is the store's to choose; one without a bound leaves none. */
export const purge = step('purge', draw.few, async (stage, limit) => {
  const { may, must } = stage.model.ripe()
  const purged = await stage.both('purge', [limit], stage.store.purge(limit), (answer) => answer)
  const found = await stage.store.find(stage.ids)
  const lost = stage.model.find(stage.ids).flatMap((job, i) => (job && !found[i] ? job.id : []))
  stage.say(`  erased: ${lost.length} of ${may.length}`)
  assert.deepEqual(
    lost.filter((id) => !may.includes(id)),
    [],
  )
  assert(lost.length <= limit)
  if (limit === draw.ALL)
    assert.deepEqual(
      must.filter((id) => !lost.includes(id)),
      [],
    )
  const { erased, withFiles } = stage.model.purge(lost)
  const known = stage.model.findBatches(BATCHES)
  const left = await stage.store.findBatches(BATCHES)
  const gone = BATCHES.filter((_, i) => known[i] && !left[i])
  assert.deepEqual(
    gone.filter((id) => !stage.model.ripeBatches().includes(id)),
    [],
  )
  stage.model.purgeBatches(gone)
  assert.deepEqual([purged.erased, purged.withFiles.toSorted()], [erased, withFiles.toSorted()])
})

export const holder = step('holder', draw.question, (stage, question) =>
  stage.both('holder', question, stage.store.holder(...question), () =>
    stage.model.holder(...question),
  ),
)

export const look = step('look', fc.constant({}), (stage) => stage.compare())

export const pass = step('time passes', draw.forward, async (stage, ms) => stage.clock.advance(ms))

export const turnBack = step('time goes back', draw.back, async (stage, ms) =>
  stage.clock.set(stage.clock.now() - ms),
)

/** Two leases pass, in which only these workers renew: the others are dead to whoever sweeps next. */
export const outlive = step('two leases pass', draw.alive, async (stage, slots) => {
  for (let ms = 0; ms < 2 * LEASE_MS; ms += LEASE_MS / 3) {
    stage.clock.advance(LEASE_MS / 3)
    for (const slot of slots) await renewOne(stage, slot)
  }
})
