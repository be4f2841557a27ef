import { derivedId } from '../../src/base/id.ts'
import { itemId, type NewBatch } from '../../src/job/batch.ts'
import type { Definition } from '../../src/job/define.ts'
import type { JobId, NewJob } from '../../src/job/job.ts'
import { prepare } from '../../src/job/prepare.ts'
import type { Lookout, Store } from '../../src/store/contract.ts'
import { jobs, last } from './app.ts'
import type { Ledger } from './ledger.ts'

/** A batch of a run: of so many items each which is there must be accounted for, and its end told once. */
export type Plan = { id: JobId; items: readonly ('item' | 'dud')[] }

const CHUNK = 3
const KEEP_MS = 86_400_000

/** Hands one in, whatever of it was handed in before: may be killed anywhere, and called again. */
export async function submit({ id, items }: Plan, store: Store, ledger: Ledger): Promise<void> {
  const batch: NewBatch = { id, job: 'item', tenant: '', keepMs: KEEP_MS, failedMax: items.length }
  const end = { ...(await prepare(last, { id })), id: derivedId('last', id), subject: id }
  await store.changeBatch(id, { to: 'open', batch: { ...batch, end } })
  const prepared = await Promise.all(
    items.map(async (kind, index): Promise<NewJob> => {
      const place = { batch: id, index }
      const job = await prepare(definitionOf(kind), { ms: (index * 7) % 20 })
      return { ...job, id: itemId(place), place }
    }),
  )
  for (let at = 0; at < prepared.length; at += CHUNK) {
    const some = prepared.slice(at, at + CHUNK)
    for (const { id: key, job: kind } of some) ledger.write({ what: 'intent', key, kind })
    await store.fillBatch(id, some)
    for (const { id: key, job: kind } of some) ledger.write({ what: 'ack', key, kind, id: key })
  }
  await store.changeBatch(id, { to: 'closed' })
}

function definitionOf(name: string): Definition {
  const found = jobs.find((job) => job.name === name)
  if (!found) throw new Error(`no job named ${name} is defined here`)
  return found
}

/** What is wrong with batches when all is over: their tallies, their ends, and who was told of them. */
export async function faultsOf(
  plans: readonly Plan[],
  store: Pick<Lookout, 'findBatches' | 'list'>,
  ledger: Ledger,
): Promise<string[]> {
  const told = ledger.read().flatMap((entry) => (entry.what === 'hook' ? [entry.id] : []))
  const ends = new Map<string, number>()
  let next: string | undefined
  do {
    const page = await store.list({ job: last.name }, 200, next)
    for (const { subject = '' } of page.jobs) ends.set(subject, (ends.get(subject) ?? 0) + 1)
    next = page.next
  } while (next !== undefined)
  const found = await store.findBatches(plans.map(({ id }) => id))
  return plans.flatMap(({ id, items }, i) => {
    const batch = found[i]
    const duds = items.filter((kind) => kind === 'dud').length
    const is = batch && [batch.items, batch.completed, batch.failed, batch.cancelled, batch.endings]
    const counts = JSON.stringify(is)
    const isExact = counts === JSON.stringify([items.length, items.length - duds, duds, 0, 1])
    const wrong = isExact ? [] : [`counts ${counts}`]
    if (batch?.endedAt === undefined) wrong.push('has not ended')
    if (ends.get(id) !== 1) wrong.push(`${ends.get(id) ?? 0} jobs at its end`)
    if (!told.includes(id)) wrong.push('nobody was told of its end')
    return wrong.map((what) => `${id}: ${what}`)
  })
}
