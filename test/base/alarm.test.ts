import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Alarm } from '../../src/base/alarm.ts'

/** An alarm on a clock moved by hand, and when it rang. */
function set(t: TestContext, next: () => number = () => Infinity) {
  let now = 0
  t.mock.timers.enable({ apis: ['setTimeout'] })
  t.mock.method(performance, 'now', () => now)
  const rung: number[] = []
  const alarm = new Alarm(() => {
    rung.push(now)
    return next()
  })
  const pass = (ms: number) => {
    for (let i = 0; i < ms; i++) {
      now++
      t.mock.timers.tick(1)
    }
  }
  return { alarm, rung, pass }
}

test('it rings at the nearest of its moments, and once', (t) => {
  const { alarm, rung, pass } = set(t)
  for (const at of [50, 20, 90]) alarm.by(at)
  pass(100)
  assert.deepEqual(rung, [20])
})

test('who is rung says when the next moment is', (t) => {
  const moments = [40, 70]
  const { alarm, rung, pass } = set(t, () => moments.shift() ?? Infinity)
  alarm.by(10)
  pass(100)
  assert.deepEqual(rung, [10, 40, 70])
})

test('a moment that is past rings at once, and none rings after the end', (t) => {
  const { alarm, rung, pass } = set(t)
  alarm.by(-5)
  pass(1)
  assert.deepEqual(rung, [1])
  alarm.by(50)
  alarm[Symbol.dispose]()
  alarm.by(60)
  pass(100)
  assert.deepEqual(rung, [1])
})
