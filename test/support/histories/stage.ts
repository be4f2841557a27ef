import assert from 'node:assert/strict'
import { itemId } from '../../../src/job/batch.ts'
import type { Fence, JobId, WorkerId } from '../../../src/job/job.ts'
import { type Claim, PAUSE, type Settlement, type Store } from '../../../src/store/contract.ts'
import type { HandClock } from '../clock.ts'
import { LEASE_MS } from '../hand.ts'
import { admit } from '../model/limits.ts'
import { Model } from '../model/model.ts'
import { lives } from '../model/row.ts'
import { plain, sorted, written } from './plain.ts'

const uuid = (letter: string, n: number) =>
  `${letter.repeat(8)}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

/** The ids that callers choose from. */
export const JOBS: readonly JobId[] = [1, 2, 3, 4, 5, 6, 7].map((n) => uuid('a', n))
/** The ids that hooks are given, each once in a history. */
export const HOOKS: readonly JobId[] = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => uuid('c', n))
export const BATCHES: readonly JobId[] = [1, 2].map((n) => uuid('d', n))
/** So few items that they meet again. */
export const ITEMS_MAX = 4
const ITEMS = BATCHES.flatMap((batch) =>
  Array.from({ length: ITEMS_MAX }, (_, index) => itemId({ batch, index })),
)
/** The job at the end of a batch, of which each ending has its own. */
export const endOf = (batch: JobId): JobId => uuid('e', (BATCHES.indexOf(batch) + 1) * 0x10000)
const IDS = [...JOBS, ...HOOKS, ...ITEMS]
export const WORKERS = 3

type Sent = { n: number; settlements: readonly Settlement[]; claim: Claim }

/** A store and the model beside it, hearing the same calls. */
export class Stage {
  readonly store: Store
  readonly clock: HandClock
  readonly model: Model
  /** Every job and fence that was ever handed out, the latest last. */
  readonly handed: { id: JobId; fence: Fence; worker: WorkerId }[] = []
  readonly hooks = new Set(HOOKS)
  readonly sent = new Map<WorkerId, Sent>()
  readonly #workers: WorkerId[] = Array.from({ length: WORKERS }, (_, i) => uuid('b', i + 1))
  readonly #began: number
  #stamps = 0
  readonly #said: string[] = []

  constructor(store: Store, clock: HandClock) {
    this.store = store
    this.clock = clock
    this.model = new Model(clock)
    this.#began = clock.now()
  }

  /** All that may be there. */
  get ids(): readonly JobId[] {
    return [...new Set([...IDS, ...this.model.ledger.jobs.keys()])]
  }

  /** What was called, and what the store answered. */
  get history(): string {
    return this.#said.join('\n')
  }

  /** One that no entry has borne yet. */
  stamp(): string {
    return uuid('f', ++this.#stamps)
  }

  say(line: string): void {
    this.#said.push(`T+${this.clock.now() - this.#began}  ${line}`)
  }

  /** Asks the store, then the model, and compares; `free`: the order of the answer is the store's. */
  async both<Answer>(
    what: string,
    args: readonly unknown[],
    asking: Promise<Answer>,
    model: (answer: Answer) => unknown,
    free = false,
  ): Promise<Answer> {
    const text = args.map((arg) => written(arg, this.#began)).join(', ')
    const answer = await asking.catch((error: unknown) => {
      this.say(`${what}(${text}) failed`)
      throw error
    })
    this.say(`${what}(${text}) → ${written(answer, this.#began)}`)
    this.model.ledger.chosen = await this.#chosen(text)
    const [actual, expected] = [plain(answer), plain(model(answer))]
    admit(this.model.ledger, this.model.ledger.chosen)
    assert.deepEqual(free ? sorted(actual) : actual, free ? sorted(expected) : expected)
    return answer
  }

  /** Which key holds whom, where there are keys. */
  async #chosen(said: string): Promise<Map<JobId, string>> {
    const rows = [...this.model.ledger.jobs.values()]
    if (!said.includes('limits') && rows.every(({ given }) => !given.limits)) return new Map()
    const found = await this.store.find(this.ids)
    return new Map(found.flatMap((job) => (job?.heldBy ? [[job.id, job.heldBy] as const] : [])))
  }

  worker(slot: number): WorkerId {
    return this.#workers[slot % WORKERS] ?? uuid('b', 1)
  }

  /** Who is gone registers anew, as another. */
  async register(slot: number): Promise<void> {
    if (this.model.ledger.workers.get(this.worker(slot))?.goneAt !== undefined) {
      const count = this.model.ledger.workers.size
      this.#workers[slot % WORKERS] = uuid('b', count + 1)
    }
    const worker = { id: this.worker(slot), leaseMs: LEASE_MS, info: Buffer.of(slot) }
    await this.both('register', [worker.id], this.store.register(worker), () =>
      this.model.register(worker),
    )
  }

  id({ among, nth }: { among: 'stored' | 'ended' | 'all'; nth: number }): JobId {
    const rows = [...this.model.ledger.jobs.values()]
    const stored = (among === 'ended' ? rows.filter((row) => !lives(row)) : rows).map(
      ({ given }) => given.id,
    )
    const pool = among === 'all' || stored.length === 0 ? IDS : stored
    return pool[nth % pool.length] ?? uuid('a', 1)
  }

  /** Compares all that can be seen. */
  async compare(): Promise<void> {
    const { store, model, ids } = this
    const found = await store.find(ids)
    assert.deepEqual(
      plain(found.map((job) => job && { ...job, turn: undefined })),
      plain(model.find(ids).map((job) => job && { ...job, turn: undefined })),
    )
    const arrivals = (jobs: readonly ({ id: JobId; turn: number } | undefined)[]) =>
      jobs.flatMap((job) => job ?? []).toSorted((a, b) => a.turn - b.turn)
    const idsOf = (jobs: readonly { id: JobId }[]) => jobs.map(({ id }) => id)
    assert.deepEqual(idsOf(arrivals(found)), idsOf(arrivals(model.find(ids))))
    assert.deepEqual(plain(await store.findBatches(BATCHES)), plain(model.findBatches(BATCHES)))
    for (const tenant of [undefined, 'acme']) {
      const page = await store.listBatches({ ...(tenant !== undefined && { tenant }) }, IDS.length)
      assert.deepEqual(idsOf(page.batches), model.listBatches(tenant))
    }
    for (const kind of [PAUSE, 'note']) {
      const [all, due] = [await store.entries(kind), await store.entries(kind, 'due')]
      const [allOf, dueOf] = [model.entries(kind), model.entries(kind, 'due')]
      assert.deepEqual(sorted(all.entries), sorted(allOf.entries))
      assert.deepEqual(sorted(due.entries), sorted(dueOf.entries))
      assert.deepEqual([all.nextAt, due.nextAt], [allOf.nextAt, dueOf.nextAt])
    }
    assert.deepEqual(sorted(await store.tally()), sorted(model.tally()))
    assert.deepEqual(sorted(await store.workers()), sorted(model.workers()))
    for (const id of ids) {
      assert.deepEqual(plain(await store.attempts(id)), plain(model.attempts(id)))
      assert.deepEqual(plain(await store.steps(id)), plain(model.steps(id)))
      assert.deepEqual(plain(await store.mail(id)), plain(model.mail(id)))
    }
    assert.deepEqual(await store.verify(), [])
  }
}
