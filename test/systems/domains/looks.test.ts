import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Looks } from '../../../systems/domains/batch/looks.ts'

test('who comes looks for himself; from then on those who follow share looks', async () => {
  const looks = new Looks<number>(5)
  const signal = new AbortController().signal
  let count = 0
  const look = () => Promise.resolve(++count)
  const followers = [1, 2, 3].map(() => looks.follow('batch', look, signal))
  const next = () =>
    Promise.all(followers.map(async (follower) => (await follower.next()).value ?? 0))
  assert.deepEqual(await next(), [1, 2, 3])
  for (let round = 0; round < 20; round++) await next()
  assert(count < 45, `${count} looks, where each by himself takes 63`)
})

test('a look that fails is told to who looked, and forgotten', async () => {
  const looks = new Looks<number>(1)
  const { signal } = new AbortController()
  const fail = () => Promise.reject(new Error('nothing to see'))
  await assert.rejects(looks.follow('batch', fail, signal).next(), /nothing to see/)
  const again = looks.follow('batch', () => Promise.resolve(1), signal)
  assert.equal((await again.next()).value, 1)
})

test('who asks while somebody looks is shown what came since, with all who asked meanwhile', async () => {
  const looks = new Looks<number>(5)
  const open: PromiseWithResolvers<number>[] = []
  const look = () => {
    const one = Promise.withResolvers<number>()
    open.push(one)
    return one.promise
  }
  const first = looks.once('batch', look)
  await setImmediate()
  const others = [1, 2, 3].map(() => looks.once('batch', look))
  await setImmediate()
  assert.equal(open.length, 1, 'nobody looks beside the first')
  open[0]?.resolve(1)
  assert.equal(await first, 1)
  await setImmediate()
  open[1]?.reject(new Error('nothing to see'))
  for (const one of others) await assert.rejects(one, /nothing to see/)
  await setImmediate()
  const last = looks.once('batch', look)
  await setImmediate()
  open[2]?.resolve(3)
  assert.deepEqual([await last, open.length], [3, 3])
})
