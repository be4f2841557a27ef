import assert from 'node:assert/strict'
import { Hand, running } from '../../support/hand.ts'
import { bytes, cancels, chore, failed, parked } from '../../support/jobs.ts'
import { rings } from '../../support/rings.ts'
import type { Clauses } from '../conform.ts'

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
