import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Bell } from '../../src/base/bell.ts'

const still = ({ mock }: TestContext) => mock.timers.enable({ apis: ['setTimeout'] })

/** Whether a wait is over once everything that can happen at once has happened. */
async function isOver(waiting: Promise<void>): Promise<boolean> {
  let over = false
  void waiting.then(() => (over = true))
  await new Promise((resolve) => setImmediate(resolve))
  return over
}

test('a ring ends the wait at once', async (t) => {
  still(t)
  const bell = new Bell()
  const waiting = bell.wait(1000)
  assert.equal(await isOver(waiting), false)
  bell.ring()
  assert.equal(await isOver(waiting), true)
})

test('a ring while nobody waits is kept for the next wait, and for that one only', async (t) => {
  still(t)
  const bell = new Bell()
  bell.ring()
  bell.ring()
  assert.equal(await isOver(bell.wait(1000)), true)
  assert.equal(await isOver(bell.wait(1000)), false)
})

test('without a ring the wait ends when its time is over', async (t) => {
  still(t)
  const waiting = new Bell().wait(1000)
  t.mock.timers.tick(999)
  assert.equal(await isOver(waiting), false)
  t.mock.timers.tick(1)
  assert.equal(await isOver(waiting), true)
})

test('a wait longer than a timer can count does not end at once', async (t) => {
  still(t)
  const waiting = new Bell().wait(2 ** 40)
  t.mock.timers.tick(1000)
  assert.equal(await isOver(waiting), false)
})
