import { newId } from '../../src/base/id.ts'
import { encodePolicy } from '../../src/job/policy.ts'
import { itemId } from '../../src/job/batch.ts'
import type { NewJob } from '../../src/job/job.ts'
import type { Store } from '../../src/store/contract.ts'
import { Hand, running } from './hand.ts'
import { again, bytes, cancels, chore, completed, DAY, failed, HOUR, parked } from './jobs.ts'

/** A store with jobs in every state there is. What is to run yet writes its name into the ledger. */
export async function populate(store: Store, ledger: string): Promise<void> {
  const hand = await Hand.register(store)
  const write = (text: string, over: Partial<NewJob> = {}) =>
    chore({ job: 'write', input: bytes(JSON.stringify({ ledger, text })), ...over })
  const tell = { job: 'write', queue: 'default', priority: 1, policy: {} }

  const done = await running(
    store,
    hand,
    write('done', { tags: ['red', 'blue'], fingerprint: 'f' }),
  )
  const artifacts = [
    { file: 'ä.csv', type: 'text/csv', bytes: 3, sha256: 'ab'.repeat(32), keepMs: 7 * DAY },
  ]
  const log = [{ at: Date.now(), level: 'warn', text: 'slow\u2028but sure' }] as const
  await hand.note(done, { progress: bytes('{"done":1}'), log })
  const ended = completed({ keepMs: 7 * DAY, result: bytes('"ok"'), artifacts, withErrors: true })
  await hand.settle(done, ended)

  const broken = await running(store, hand, write('broken', { tenant: 'acme' }))
  const hook = write('hook of broken', { subject: broken.id, tenant: 'acme' })
  await hand.settle(broken, failed({ keepMs: 30 * DAY, hook }))
  const unwanted = write('unwanted', { delayMs: HOUR })
  await store.insert([unwanted])
  await store.cancel(cancels([unwanted.id], 30 * DAY))

  const strange = await running(store, hand, write('strange', { job: 'unheard.of' }))
  await hand.settle(strange, parked())
  const once = await running(store, hand, write('tried once', { priority: 0 }))
  await hand.settle(once, again(500))
  await running(store, hand, write('lost', { priority: 0 }))
  const mayNotRunAgain = encodePolicy({ onLost: 'fail', onFailure: tell })
  await running(store, hand, write('lost for good', { priority: 0, policy: mayNotRunAgain }))

  const unique = { value: 'report', until: 'end', onConflict: 'join' } as const
  await store.insert([
    write('later', { delayMs: 1500, queue: 'mail' }),
    ...['first', 'second'].map((text) => write(text)),
    write('urgent', { priority: 0 }),
    write('held', { unique }),
  ])
  const batch = { id: newId(), job: 'write', tenant: '', keepMs: DAY }
  const end = write('end of batch', { queue: 'mail', subject: batch.id })
  await store.changeBatch(batch.id, { to: 'open', batch: { ...batch, end } })
  const items = ['item done', 'item', 'item lost'].map((text, index) => {
    const place = { batch: batch.id, index }
    const policy = encodePolicy({ onLost: text === 'item lost' ? 'fail' : 'retry' })
    return write(text, { id: itemId(place), place, priority: 0, queue: 'items', policy })
  })
  await store.fillBatch(batch.id, items)
  await store.changeBatch(batch.id, { to: 'closed' })
  const [one] = await hand.claim(1, 'items')
  if (one) await hand.settle(one, completed({ keepMs: 7 * DAY }))
  await store.cancel(cancels([items[1]?.id ?? ''], 30 * DAY))
  await hand.claim(1, 'items')

  await store.insert([write('joined', { unique, fingerprint: 'g', id: newId() })])
  await store.retire(hand.id)
}

/** What is run once each, wherever the jobs were moved to. */
export const RUN = [
  'end of batch',
  'first',
  'held',
  'hook of broken',
  'later',
  'lost',
  'second',
  'tried once',
  'urgent',
]
