import assert from 'node:assert/strict'
import { newId } from '../../src/base/id.ts'
import type { Bytes } from '../../src/base/json.ts'
import type { Claimed, Job, JobId } from '../../src/job/job.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import type {
  Answer,
  Exchanged,
  Note,
  Renewed,
  Settlement,
  Store,
} from '../../src/store/contract.ts'
import type { HandClock } from './clock.ts'

export const LEASE_MS = 15_000
const RENEW_MS = 5_000

export type Held = Pick<Claimed, 'id' | 'fence'>

/** A worker whose every move a test makes. */
export class Hand {
  readonly id = newId()
  readonly #store: Store
  /** The number of its latest exchange or sweep. */
  n = 0

  constructor(store: Store) {
    this.#store = store
  }

  static async register(store: Store): Promise<Hand> {
    const hand = new Hand(store)
    await store.register({ id: hand.id, leaseMs: LEASE_MS, info: new Uint8Array() })
    return hand
  }

  exchange(
    settlements: readonly Settlement[],
    limit = 0,
    queues: readonly string[] = ['default'],
  ): Promise<Exchanged> {
    return this.repeat(++this.n, settlements, limit, queues)
  }

  /** Sends an exchange under a number of the test's choice. */
  repeat(
    n: number,
    settlements: readonly Settlement[],
    limit = 0,
    queues: readonly string[] = ['default'],
  ): Promise<Exchanged> {
    return this.#store.exchange(this.id, n, settlements, { queues, limit })
  }

  async claim(limit = 1, ...queues: string[]): Promise<Claimed[]> {
    return accepted(await this.exchange([], limit, queues.length > 0 ? queues : undefined)).jobs
  }

  async claimOne(...queues: string[]): Promise<Claimed> {
    return only(await this.claim(1, ...queues))
  }

  async settle(held: Held, outcome: Outcome): Promise<Answer> {
    return only(await this.settleAll([held], outcome))
  }

  async settleAll(held: readonly Held[], outcome: Outcome): Promise<Answer[]> {
    const settlements = held.map(({ id, fence }) => ({ id, fence, outcome }))
    return accepted(await this.exchange(settlements)).answers
  }

  async sweep(limit = 100): Promise<Claimed[]> {
    return accepted(await this.#store.sweep(this.id, ++this.n, limit)).jobs
  }

  renew(metrics?: Bytes): Promise<Renewed> {
    return this.#store.renew(this.id, metrics)
  }

  async note(held: Held, note: Omit<Note, 'id' | 'fence'>): Promise<Answer> {
    return only(await this.#store.note(this.id, [{ id: held.id, fence: held.fence, ...note }]))
  }
}

/** Time passes while only these workers renew in time; every other lease runs out. */
export async function pass(clock: HandClock, ms: number, ...alive: Hand[]): Promise<void> {
  for (let left = ms; left > 0; left -= RENEW_MS) {
    clock.advance(Math.min(left, RENEW_MS))
    for (const hand of alive) await hand.renew()
  }
}

/** Stores one job and claims it. */
export async function running(
  store: Store,
  hand: Hand,
  job: Parameters<Store['insert']>[0][0],
): Promise<Claimed> {
  await store.insert([job])
  return hand.claimOne(job.queue)
}

export const idsOf = (jobs: readonly { id: JobId }[]): JobId[] => jobs.map(({ id }) => id)

/** What an exchange handed over, which must not have been refused. */
export function accepted(exchanged: Exchanged): Exclude<Exchanged, { refused: string }> {
  if ('refused' in exchanged) assert.fail(`refused: ${exchanged.refused}`)
  return exchanged
}

/** The one item there is. */
export function only<Item>(items: readonly Item[]): Item {
  const [item] = items
  assert.equal(items.length, 1)
  assert(item !== undefined)
  return item
}

/** A job as it lies in the store. */
export async function seen(store: Store, id: JobId): Promise<Job> {
  const [job] = await store.find([id])
  assert(job, 'the job is not in the store')
  return job
}
