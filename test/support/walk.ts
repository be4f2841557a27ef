import assert from 'node:assert/strict'
import type { Claimed, JobId } from '../../src/job/job.ts'
import type { Outcome } from '../../src/job/outcome.ts'
import type { State } from '../../src/job/state.ts'
import type { Settlement, Store } from '../../src/store/contract.ts'
import type { HandClock } from './clock.ts'
import { accepted, Hand, pass } from './hand.ts'
import {
  again,
  cancelled,
  cancels,
  chore,
  completed,
  failed,
  parked,
  released,
  SECOND,
} from './jobs.ts'
import { seeded } from './random.ts'

/** Due and not yet due are one here: a store may notice late that a moment has come. */
type Place = 'queued' | Exclude<State, 'scheduled' | 'ready'>

const KEEP_MS = 60 * SECOND

/** Random verbs on a store beside a model that only counts; the two must agree after each. */
export class RandomWalk {
  readonly #store: Store
  readonly #clock: HandClock
  readonly #random: (below: number) => number
  readonly #places = new Map<JobId, Place>()
  /** Running jobs that somebody wants to end: they are set aside nowhere. */
  readonly #asked = new Set<JobId>()
  readonly #held = new Map<JobId, { hand: Hand; job: Claimed }>()
  #hands: Hand[] = []
  #erased = 0

  constructor(store: Store, clock: HandClock, seed: number) {
    this.#store = store
    this.#clock = clock
    this.#random = seeded(seed)
  }

  async step(): Promise<void> {
    if (this.#hands.length < 3) this.#hands.push(await Hand.register(this.#store))
    const verbs = [
      () => this.#insert(),
      () => this.#exchange(),
      () => this.#exchange(),
      () => this.#exchange(),
      () => this.#wait(),
      () => this.#sweep(),
      () => this.#retire(),
      () => this.#cancel(),
      () => this.#retry(),
      () => this.#unpark(),
      () => this.#purge(),
    ]
    await this.#any(verbs)?.()
    await this.#compare()
  }

  async #insert(): Promise<void> {
    const jobs = Array.from({ length: 1 + this.#random(4) }, () =>
      chore({
        queue: this.#any(['default', 'mail']) ?? 'default',
        delayMs: this.#any([0, 0, 20 * SECOND]) ?? 0,
        ...(this.#random(3) === 0 && {
          unique: { value: `${this.#random(3)}`, until: 'kept', onConflict: 'join' },
        }),
      }),
    )
    for (const answer of await this.#store.insert(jobs))
      if ('joined' in answer && !answer.joined) this.#places.set(answer.id, 'queued')
  }

  async #exchange(): Promise<void> {
    const hand = this.#anyHand()
    const settlements = this.#someHeldBy(hand).map((job) => ({ ...job, outcome: this.#outcome() }))
    const limit = this.#random(4)
    const queues = ['default', 'mail']
    const reply = await hand.exchange(settlements, limit, queues)
    if ('refused' in reply) return this.#leave(hand)

    assert.deepEqual(
      reply.answers,
      settlements.map(() => 'done'),
    )
    for (const settlement of settlements) this.#settled(settlement)
    for (const job of reply.jobs) this.#take(hand, job, 'queued')
    if (this.#random(3) > 0) return
    const repeated = accepted(await hand.repeat(hand.n, settlements, limit, queues))
    assert.deepEqual(repeated.jobs, reply.jobs)
    assert(!repeated.answers.includes('done'))
  }

  async #wait(): Promise<void> {
    const alive = this.#hands.filter(() => this.#random(4) > 0)
    await pass(this.#clock, this.#random(25) * SECOND, ...alive)
  }

  async #sweep(): Promise<void> {
    const hand = this.#anyHand()
    const reply = await this.#store.sweep(hand.id, ++hand.n, 1 + this.#random(5))
    if ('refused' in reply) return this.#leave(hand)
    for (const job of reply.jobs) this.#take(hand, job, 'running')
  }

  async #retire(): Promise<void> {
    if (this.#random(4) > 0) return
    const hand = this.#anyHand()
    await this.#store.retire(hand.id)
    this.#leave(hand)
  }

  async #cancel(): Promise<void> {
    const id = this.#anyId()
    const [answer] = await this.#store.cancel(cancels([id], KEEP_MS))
    assert.equal(answer === 'asked', this.#places.get(id) === 'running')
    if (answer === 'cancelled') this.#places.set(id, 'cancelled')
    if (answer === 'asked') this.#asked.add(id)
  }

  async #retry(): Promise<void> {
    const id = this.#anyId()
    const [answer] = await this.#store.retry([id])
    if (answer !== 'retried') return
    this.#asked.delete(id)
    assert(['failed', 'cancelled'].includes(this.#places.get(id) ?? 'gone'))
    this.#places.set(id, 'queued')
  }

  async #unpark(): Promise<void> {
    const waiting = [...this.#places].filter(([, place]) => place === 'waiting')
    assert.equal(await this.#store.unpark(['chore']), waiting.length)
    for (const [id] of waiting) this.#places.set(id, 'queued')
  }

  async #purge(): Promise<void> {
    const { erased } = await this.#store.purge(3)
    const ids = [...this.#places.keys()]
    const found = await this.#store.find(ids)
    const lost = ids.filter((_, i) => found[i] === undefined)
    assert.equal(lost.length, erased)
    for (const id of lost) {
      assert(['completed', 'failed', 'cancelled'].includes(this.#places.get(id) ?? 'gone'))
      this.#places.delete(id)
    }
    this.#erased += erased
  }

  #take(hand: Hand, job: Claimed, from: Place): void {
    assert.equal(this.#places.get(job.id), from)
    assert(job.fence > (this.#held.get(job.id)?.job.fence ?? 0))
    this.#places.set(job.id, 'running')
    this.#held.set(job.id, { hand, job })
  }

  /** What was held stays in `#held`, so that its next fence can be compared with this one. */
  #settled({ id, outcome }: Settlement): void {
    const isQueued =
      outcome.to === 'scheduled' ||
      outcome.to === 'ready' ||
      (outcome.to === 'waiting' && this.#asked.has(id))
    this.#places.set(id, isQueued ? 'queued' : outcome.to)
  }

  #leave(hand: Hand): void {
    this.#hands = this.#hands.filter((other) => other !== hand)
  }

  async #compare(): Promise<void> {
    assert.deepEqual(await this.#store.verify(), [])
    const counted: Record<string, number> = {}
    const add = (key: string, count: number) => (counted[key] = (counted[key] ?? 0) + count)
    for (const { queue: _, oldestReadyAt: __, ...counts } of await this.#store.tally())
      for (const [key, count] of Object.entries(counts))
        add(key === 'scheduled' || key === 'ready' ? 'queued' : key, count)

    const expected: Record<string, number> = {
      erased: this.#erased,
      accepted: this.#erased + this.#places.size,
    }
    for (const key of Object.keys(counted)) expected[key] ??= 0
    for (const place of this.#places.values()) expected[place] = (expected[place] ?? 0) + 1
    if (expected.accepted !== 0) assert.deepEqual(counted, expected)
  }

  #someHeldBy(hand: Hand): Claimed[] {
    return [...this.#held.values()]
      .filter((held) => held.hand === hand && this.#places.get(held.job.id) === 'running')
      .filter(() => this.#random(2) === 0)
      .map(({ job }) => job)
  }

  #outcome(): Outcome {
    const ends = [completed({ keepMs: KEEP_MS }), failed({ keepMs: KEEP_MS }), cancelled()]
    return this.#any([...ends, again(0), again(30 * SECOND), released(), parked()]) ?? released()
  }

  #any<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#random(items.length)]
  }

  #anyHand(): Hand {
    return this.#any(this.#hands) ?? assert.fail('no worker is left')
  }

  #anyId(): JobId {
    return this.#any([...this.#places.keys()]) ?? chore().id
  }
}
