import assert from 'node:assert/strict'
import { LATE_MAX_MS, type Take } from '../../../src/job/rate.ts'
import { Rates } from '../../../src/worker/rates.ts'
import { DAY, HOUR, SECOND } from '../../support/jobs.ts'
import { only } from '../../support/hand.ts'
import { seeded } from '../../support/random.ts'
import type { Clauses } from '../conform.ts'

const LATE_MS = 100
const STEPS = 400

/** Three in ten seconds, unless otherwise said. */
const ask = (over: Partial<Take> = {}): Take => ({
  limit: 'llm',
  count: 3,
  windowMs: 10 * SECOND,
  n: 1,
  lateMs: LATE_MS,
  ...over,
})
const asks = (times: number, over: Partial<Take> = {}) =>
  Array.from({ length: times }, () => ask(over))

export const takes: Clauses = {
  'C20 so many calls pass at once, and the next when the first left the window': async (
    store,
    clock,
  ) => {
    const full = 10 * SECOND + LATE_MS
    assert.deepEqual(await store.take(asks(5)), [0, 0, 0, full, full])
    clock.advance(full - 1)
    assert.deepEqual(await store.take(asks(1)), [1])
    clock.advance(1)
    assert.deepEqual(await store.take(asks(4)), [0, 0, 0, full])
  },

  'C20 a call counts from the latest moment at which it may be made': async (store, clock) => {
    await store.take([ask({ count: 2, lateMs: 4 * SECOND }), ask({ count: 2, lateMs: 0 })])
    clock.advance(10 * SECOND)
    assert.deepEqual(await store.take([ask({ count: 2 })]), [4 * SECOND])
  },

  'C20 calls pass one by one as the window slides': async (store, clock) => {
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await store.take([ask({ lateMs: 0 })]), [0])
      clock.advance(2 * SECOND)
    }
    assert.deepEqual(await store.take([ask()]), [4 * SECOND])
    clock.advance(4 * SECOND)
    assert.deepEqual(await store.take([ask(), ask()]), [0, 2 * SECOND])
  },

  'C20 many at once pass together or wait, and nobody behind them overtakes': async (store) => {
    await store.take([ask()])
    const wait = 10 * SECOND + LATE_MS
    assert.deepEqual(await store.take([ask({ n: 3 }), ask(), ask({ limit: 'other' })]), [
      wait,
      wait,
      0,
    ])
    // What waited has taken nothing.
    assert.deepEqual(await store.take([ask({ n: 2 })]), [0])
  },

  'C20 however many ask at once, no more than so many pass': async (store) => {
    const each = Array.from({ length: 40 }, () => store.take([ask({ count: 25 })]))
    const waits = (await Promise.all(each)).map(only)
    assert.equal(waits.filter((wait) => wait === 0).length, 25)
  },

  'C20 limits taken from in another order at once wait for nobody': async (store) => {
    const names = ['a', 'b', 'c', 'd']
    const both = [names, names.toReversed()].map((order) => order.map((limit) => ask({ limit })))
    const trips = Array.from({ length: 20 }, (_, i) => store.take(both[i % 2] ?? []))
    const waits = (await Promise.all(trips)).flat()
    assert.equal(waits.filter((wait) => wait === 0).length, 4 * 3)
  },

  'C20 of a limit that is held nobody passes, until it opens': async (store, clock) => {
    await store.take([ask()])
    assert.equal(await store.hold('llm', 30 * SECOND), 30 * SECOND)
    clock.advance(20 * SECOND)
    // Closed for longer than asked: so it stays.
    assert.equal(await store.hold('llm', SECOND), 10 * SECOND)
    assert.deepEqual(await store.take([ask(), ask({ limit: 'other' })]), [10 * SECOND, 0])
    clock.advance(10 * SECOND)
    assert.deepEqual(await store.take([ask()]), [0])
  },

  'C20 a limit may be held that nobody took from, and opened before its time': async (store) => {
    assert.equal(await store.hold('llm', 0), undefined)
    assert.equal(await store.hold('llm', HOUR), HOUR)
    assert.equal(only(await store.rates()).rate, undefined)
    assert.deepEqual(await store.take([ask()]), [HOUR])
    assert.equal(await store.hold('llm', 0), 0)
    assert.deepEqual(await store.take([ask()]), [0])
  },

  'C20 who says another rate neither forgets nor is let pass what others count': async (
    store,
    clock,
  ) => {
    const [slow, quick] = [ask({ lateMs: 0 }), ask({ count: 1, windowMs: SECOND, lateMs: 0 })]
    await store.take([slow, slow])
    clock.advance(SECOND)
    assert.deepEqual(await store.take([quick, quick]), [0, SECOND])
    assert.deepEqual(await store.take([slow]), [9 * SECOND])
    clock.advance(SECOND)
    assert.deepEqual(await store.take([quick]), [0])
    assert.deepEqual(await store.take([slow]), [8 * SECOND])
  },

  'C20 a clock that goes back closes no limit for long': async (store, clock) => {
    await store.take(asks(3))
    clock.set(clock.now() - HOUR)
    assert.deepEqual(await store.take([ask()]), [10 * SECOND + LATE_MAX_MS])
    clock.advance(10 * SECOND + LATE_MAX_MS)
    assert.deepEqual(await store.take([ask()]), [0])
  },

  'C20 people see how many passed lately, and until when a limit is closed': async (
    store,
    clock,
  ) => {
    await store.take([ask({ limit: 'b', lateMs: 0 }), ask({ limit: 'a', count: 5, n: 4 })])
    clock.advance(5 * SECOND)
    await store.take([ask({ limit: 'b' })])
    await store.hold('b', SECOND)
    const rate = { count: 3, windowMs: 10 * SECOND }
    assert.deepEqual(await store.rates(), [
      { name: 'a', rate: { ...rate, count: 5 }, taken: 4 },
      { name: 'b', rate, taken: 2, closedUntil: clock.now() + SECOND },
    ])
    clock.advance(5 * SECOND)
    assert.deepEqual((await store.rates())[1], { name: 'b', rate, taken: 1 })
    clock.advance(HOUR)
    assert.deepEqual(
      (await store.rates()).map(({ taken }) => taken),
      [0, 0],
    )
  },

  'C20 limits that nobody used for a day and their span are forgotten': async (store, clock) => {
    await store.take([ask({ limit: 'short' }), ask({ limit: 'long', windowMs: 3 * DAY })])
    await store.hold('held', 3 * DAY)
    clock.advance(DAY + HOUR)
    await store.purge(10)
    assert.deepEqual(
      (await store.rates()).map(({ name, taken }) => [name, taken]),
      [
        ['held', 0],
        ['long', 1],
      ],
    )
    assert.deepEqual(await store.take([ask({ limit: 'short', n: 3 })]), [0])
    clock.advance(4 * DAY)
    await store.purge(10)
    assert.deepEqual(await store.rates(), [])
  },

  'C20 four hundred random asks are answered as the limiter of a single process answers them':
    async (store, clock) => {
      const model = new Rates(() => clock.now())
      const below = seeded(20)
      for (let step = 0; step < STEPS; step++) {
        const many = Array.from({ length: 1 + below(4) }, () =>
          ask({
            limit: below(3) === 0 ? 'b' : 'a',
            // Now and then somebody says another rate.
            ...(below(20) === 0 ? { count: 5, windowMs: 4 * SECOND } : { count: 7 }),
            n: 1 + below(3),
            lateMs: below(300),
          }),
        )
        assert.deepEqual(await store.take(many), await model.take(many), `step ${step}`)
        if (below(40) === 0) {
          await store.hold('a', SECOND)
          await model.hold('a', SECOND)
        }
        clock.advance(below(1500))
      }
    },
}
