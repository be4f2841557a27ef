import assert from 'node:assert/strict'
import type { Store, Topic } from '../../../src/store/contract.ts'
import { Hand, running } from '../../support/hand.ts'
import { bytes, cancels, chore, failed, parked } from '../../support/jobs.ts'
import type { Clauses } from '../conform.ts'

/** Settles when the topic rings; the clause's own time limit is the only other end. */
async function rings<Answer>(
  store: Store,
  topic: Topic,
  change: () => Promise<Answer>,
): Promise<Answer> {
  const bell = Promise.withResolvers<void>()
  const ear = store.listen(topic, bell.resolve)
  try {
    const answer = await change()
    await bell.promise
    return answer
  } finally {
    ear[Symbol.dispose]()
  }
}

export const listen: Clauses = {
  'C9 those who listen hear that a job became ready': async (store) => {
    const worker = await Hand.register(store)
    await rings(store, 'ready', () => store.insert([chore()]))
    await rings(store, 'ready', async () =>
      worker.settle(await worker.claimOne(), { to: 'ready', begun: false }),
    )
    await worker.settle(await worker.claimOne(), parked())
    await rings(store, 'ready', () => store.unpark(['chore']))
  },

  'C3 those who listen hear that the cancel of a running job was asked': async (store) => {
    const worker = await Hand.register(store)
    const job = await running(store, worker, chore())
    await rings(store, 'cancel', () => store.cancel(cancels([job.id])))
    assert.deepEqual(await worker.renew(), { alive: true, cancelAsked: [job.id] })
  },

  'C10 those who listen hear of every visible change': async (store) => {
    const worker = await Hand.register(store)
    await store.insert([chore()])
    let job = await rings(store, 'change', () => worker.claimOne())
    await rings(store, 'change', () => worker.note(job, { progress: bytes('1') }))
    await rings(store, 'change', () => worker.settle(job, parked()))
    await rings(store, 'change', () => store.unpark(['chore']))
    job = await worker.claimOne()
    await rings(store, 'change', () => store.cancel(cancels([job.id])))
    await rings(store, 'change', () => worker.settle(job, failed()))
    await rings(store, 'change', () => store.retry([job.id]))
    await rings(store, 'change', () => store.cancel(cancels([job.id])))
  },
}
