import assert from 'node:assert/strict'
import { test } from 'node:test'
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
