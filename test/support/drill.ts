import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { newId } from '../../src/base/id.ts'
import { type Errand, open } from '../../src/open.ts'
import { endingsOf, judge, UNBROKEN } from '../../bench/chaos/judge.ts'
import { Ledger } from '../../bench/chaos/ledger.ts'
import { jobs } from '../../bench/chaos/app.ts'
import { faultsOf } from '../../bench/chaos/batches.ts'
import { Installation, until } from './command.ts'
import type { Ground } from './ground.ts'
import type { Batches, Plan } from './drill-producer.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PRODUCER = resolve(import.meta.dirname, 'drill-producer.ts')

/** Short spans, so that a dead worker costs half a second. */
const QUICK = {
  ERRAND_APP: `${ROOT}/bench/chaos/app.ts`,
  ERRAND_LEASE: '700ms',
  ERRAND_RENEW: '150ms',
  ERRAND_SWEEP: '100ms',
  ERRAND_GRACE: '5s',
  ERRAND_CONCURRENCY: '6',
  CHAOS_LEASE_MS: '80',
}

const MIX: readonly [kind: string, count: number][] = [
  ['short', 24],
  ['flaky', 6],
  ['medium', 3],
  ['long', 2],
  ['busy', 1],
  ['file', 3],
  ['isolated', 2],
  ['patient', 4],
  ['caller', 3],
  ['family', 2],
  ['followed', 4],
  ['doomed', 2],
  ['endless', 1],
  ['unwanted', 2],
]

const plan = (): Plan =>
  MIX.flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, i) => ({
      id: newId(),
      kind,
      input: { ms: (i * 7) % 20, failures: 1 + (i % 2) },
    })),
  )

/** Each goes in three at a time, with a job at its end. */
const batches = (): Batches => [
  { id: newId(), items: ['item', 'dud', 'item', 'item', 'dud', 'item', 'item'] },
  { id: newId(), items: ['item', 'item'] },
]

/** Fifty jobs of mixed kinds and two batches, one process that dies at a point, another that carries on, and the judgement. */
export class Drill implements AsyncDisposable {
  readonly #here: Installation
  readonly #ledger: Ledger
  readonly #file: string
  readonly #jobs = plan()
  readonly #batches = batches()
  readonly #store: string
  readonly #env: Record<string, string>
  #producer: ChildProcess | undefined
  #isOver = false

  constructor(ground: Ground) {
    const { folder } = (this.#here = new Installation())
    this.#file = `${folder}/ledger`
    this.#ledger = new Ledger(this.#file)
    this.#store = ground.fresh(folder)
    this.#env = { ...QUICK, ERRAND_STORE: this.#store, CHAOS_LEDGER: this.#file }
  }

  /** @returns whether the point was reached */
  async run(point: string, act: string, hit: number): Promise<boolean> {
    const armed = { ...this.#env, ERRAND_FAILPOINTS: `${point}=${act}@${hit}` }
    await using errand = await open(this.#store, { jobs })
    const first = this.#here.startWith(armed, 'worker')
    const died = await this.#produce(armed)
    if (died) await this.#produce(this.#env)
    // Nobody takes the place of one that is stopped because the drill has failed.
    const next = () => (this.#isOver ? undefined : this.#here.startWith(this.#env, 'worker'))
    const second = await Promise.race([
      first.exit().then(next),
      this.#drained(errand).then(() => undefined),
    ])
    // Whoever acts at a point leaves a mark: an executor, too, whose foreman goes on.
    const isReached = this.#isPassed(point)
    if (second) await this.#drained(errand)
    await this.#check(errand, `${point}=${act}@${hit}`)
    await (second ?? first).kill()
    return isReached
  }

  /** Whoever comes first to one of these points dies there, and another takes its place, until all were passed. */
  async runThrough(points: readonly string[]): Promise<void> {
    const deaths = points.map((point) => `${point}=crash`).join(',')
    const armed = { ...this.#env, ERRAND_PROCESSES: '1', ERRAND_FAILPOINTS: deaths }
    await using errand = await open(this.#store, { jobs })
    const over = new AbortController()
    const workers = [1, 2].map(async () => {
      while (!over.signal.aborted) await this.#here.startWith(armed, 'worker').exit()
    })
    try {
      while (await this.#produce(armed));
      for (const point of points)
        await until(() => this.#isPassed(point) || undefined, `${point} was never passed`)
      await this.#drained(errand)
    } finally {
      over.abort()
      await this.#here.stop()
      await Promise.all(workers)
    }
    await this.#check(errand, deaths)
  }

  #isPassed(point: string): boolean {
    return existsSync(`${this.#here.folder}/failpoint.${point}`)
  }

  /** @returns whether it died on the way */
  async #produce(more: Record<string, string>): Promise<boolean> {
    const plans = [this.#jobs, this.#batches].map((some) => JSON.stringify(some))
    const args = ['--no-warnings', PRODUCER, this.#store, this.#file, ...plans]
    const stdio: ['ignore', 'ignore', 'inherit'] = ['ignore', 'ignore', 'inherit']
    const env = { ...process.env, ERRAND_DATA: this.#here.folder, ...more }
    this.#producer = spawn(process.execPath, args, { env, stdio })
    const [, signal] = await once(this.#producer, 'exit')
    return signal === 'SIGKILL'
  }

  /** Once the schedule has fired, it is paused: what is live then comes to an end. */
  async #drained(errand: Errand): Promise<true> {
    await until(async () => {
      const [beat] = await errand.schedules.list()
      return beat !== undefined && beat.fired > 0 ? true : undefined
    }, 'the schedule never fired')
    await errand.schedules.pause('beat')
    return until(async () => {
      const queues = await errand.queues()
      const live = queues.reduce(
        (sum, { scheduled, ready, running, waiting }) =>
          sum + scheduled + ready + running + waiting,
        0,
      )
      return queues.length > 0 && live === 0 ? true : undefined
    }, 'not all jobs ended')
  }

  async #check(errand: Errand, what: string): Promise<void> {
    assert.deepEqual(await errand.verify(), [], what)
    const { broken, acked } = judge(this.#ledger, await endingsOf(errand))
    const items = this.#batches.flatMap((batch) => batch.items)
    assert.equal(acked, this.#jobs.length + items.length, what)
    assert.deepEqual(broken, UNBROKEN, what)
    assert.deepEqual(await faultsOf(this.#batches, errand.store, this.#ledger), [], what)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    this.#producer?.kill('SIGKILL')
    await this.#here[Symbol.asyncDispose]()
  }
}
