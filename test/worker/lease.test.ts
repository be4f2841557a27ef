import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Lease } from '../../src/worker/lease.ts'
import { WORKER_DEFAULTS } from '../../src/worker/settings.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { HandClock } from '../support/clock.ts'
import { settled } from '../support/counting.ts'
import { Cuttable } from '../support/cuttable.ts'
import { Hand, running } from '../support/hand.ts'
import { bytes, cancels, chore, SECOND } from '../support/jobs.ts'

/** A lease under a clock moved by hand, and what happened to it, each with its second. */
class Rented implements AsyncDisposable {
  readonly events: string[] = []
  readonly #t: TestContext
  #seconds = 0
  readonly line: Cuttable
  readonly hand: Hand
  readonly lease: Lease

  private constructor(t: TestContext, line: Cuttable, hand: Hand) {
    this.#t = t
    this.line = line
    this.hand = hand
    const tell = (event: string) => () => void this.events.push(`${event} ${this.#seconds}`)
    this.lease = new Lease(line.store, hand.id, WORKER_DEFAULTS, {
      cancelAsked: (ids) => void this.events.push(`cancel ${ids.join()}`),
      extended: () => undefined,
      shaken: tell('shaken'),
      broken: tell('broken'),
      gone: tell('gone'),
      metrics: () => bytes('[]'),
      onError: () => undefined,
    })
  }

  static async open(t: TestContext): Promise<Rented> {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const store = await SqliteStore.open(':memory:', { clock: new HandClock() })
    return new Rented(t, new Cuttable(store), await Hand.register(store))
  }

  /** Lets seconds pass, one by one, each with all that happens in it. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.#seconds++
      this.#t.mock.timers.tick(SECOND)
      await settled()
    }
  }

  cut(times: number): void {
    for (let i = 0; i < times; i++) this.line.cut('renew', 'before')
  }

  get renewals(): number {
    return this.line.arrived.filter((verb) => verb === 'renew').length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.lease[Symbol.dispose]()
    await this.line.store[Symbol.asyncDispose]()
  }
}

test('a lease is renewed every five seconds, and nobody hears of it', async (t) => {
  await using rented = await Rented.open(t)
  await rented.pass(60)
  assert.deepEqual(rented.events, [])
  assert.equal(rented.renewals, 12)
})

test('without a good renewal a lease is shaken after 10 seconds and broken after 13', async (t) => {
  await using rented = await Rented.open(t)
  rented.cut(100)
  await rented.pass(20)
  assert.deepEqual(rented.events, ['shaken 10', 'broken 13'])
})

test('a renewal that fails is tried again every second, and a good one mends the lease', async (t) => {
  await using rented = await Rented.open(t)
  rented.cut(3)
  await rented.pass(60)
  assert.deepEqual(rented.events, [])
  assert.equal(rented.renewals, 11)
})

test('time counts from the last good renewal', async (t) => {
  await using rented = await Rented.open(t)
  await rented.pass(5)
  rented.cut(100)
  await rented.pass(20)
  assert.deepEqual(rented.events, ['shaken 15', 'broken 18'])
})

test('a renewal whose reply was lost is none', async (t) => {
  await using rented = await Rented.open(t)
  for (let i = 0; i < 100; i++) rented.line.cut('renew', 'after')
  await rented.pass(20)
  assert.deepEqual(rented.events, ['shaken 10', 'broken 13'])
})

test('a worker that was given up is told so, and renews no more', async (t) => {
  await using rented = await Rented.open(t)
  await rented.line.store.retire(rented.hand.id)
  await rented.pass(9)
  assert.deepEqual(rented.events, ['gone 5'])
  assert.equal(rented.renewals, 1)
})

test('a renewal names the jobs whose cancel was asked', async (t) => {
  await using rented = await Rented.open(t)
  const { store } = rented.line
  const job = await running(store, rented.hand, chore())
  await store.cancel(cancels([job.id], SECOND))
  await rented.pass(5)
  assert.deepEqual(rented.events, [`cancel ${job.id}`])
})

test('a renewal leaves the worker’s metrics', async (t) => {
  await using rented = await Rented.open(t)
  await rented.pass(5)
  assert.equal((await rented.line.store.metrics()).length, 1)
})

test('after its end a lease is silent', async (t) => {
  await using rented = await Rented.open(t)
  rented.lease[Symbol.dispose]()
  await rented.pass(60)
  assert.deepEqual([rented.events, rented.renewals], [[], 0])
})
