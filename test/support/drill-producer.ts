// A producer that may be killed anywhere and started again: it hands in the jobs of a drill under ids of
// its own, so that what was accepted and what was not told is the same job.
import { readSettings } from '../../src/cli/settings.ts'
import { open } from '../../src/open.ts'
import { jobs } from '../../bench/chaos/app.ts'
import { type Plan as BatchPlan, submit } from '../../bench/chaos/batches.ts'
import { Ledger } from '../../bench/chaos/ledger.ts'

export type Batches = BatchPlan[]
export type Plan = { id: string; kind: string; input: unknown }[]

const [store = '', ledgerFile = '', plan = '[]', batches = '[]'] = process.argv.slice(2)
readSettings()
const ledger = new Ledger(ledgerFile)
const acked = new Set(ledger.read().flatMap((entry) => (entry.what === 'ack' ? [entry.key] : [])))
const planned: Plan = JSON.parse(plan)
const plannedBatches: Batches = JSON.parse(batches)

await using errand = await open(store, { jobs })
// A schedule of each second fires beside the plan.
await errand.schedules.put('beat', 'short', { ms: 1 }, { every: '1s' })
for (const { id, kind, input } of planned) {
  if (acked.has(id)) continue
  ledger.write({ what: 'intent', key: id, kind })
  await errand.enqueue(kind, input, { id })
  ledger.write({ what: 'ack', key: id, kind, id })
  // What was asked before the process died is asked again: to ask twice changes nothing.
  if (kind === 'unwanted') await errand.cancel(id).catch(() => undefined)
  if (kind === 'patient') await errand.signal(id, 'go', 1, { key: 'once' }).catch(() => undefined)
}
for (const batch of plannedBatches) await submit(batch, errand.store, ledger)
