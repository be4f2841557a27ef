import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ErrandError } from 'errand'
import { unlessTaken } from '../../systems/common/doubt.ts'

const LOST = new ErrandError('STORE_UNREACHABLE', { why: 'no answer' })

test('what was refused is removed at once, and what may have been taken in is looked for first', async () => {
  const removed: string[] = []
  const remove = (name: string) => () => void removed.push(name)
  const full = new ErrandError('STORE_FULL', {})
  await unlessTaken(full, async () => false, remove('refused'))
  await unlessTaken(full, async () => true, remove('taken in part'))
  assert.deepEqual(removed, ['refused'])

  const known = new Map([['taken', true]])
  const isTaken = (name: string) => async () => {
    const answer = known.get(name)
    if (answer === undefined) throw LOST
    return answer
  }
  const pauses: (() => void)[] = []
  const pause = () => new Promise<void>((resolve) => pauses.push(resolve))
  const tick = async () => {
    for (const go of pauses.splice(0)) go()
    await setImmediate()
  }
  for (const name of ['taken', 'lost']) await unlessTaken(LOST, isTaken(name), remove(name), pause)
  for (let looks = 0; looks < 3; looks++) await tick()
  assert.deepEqual(removed, ['refused'], 'nobody knows yet')
  known.set('lost', false)
  await tick()
  assert.deepEqual([removed, pauses.length], [['refused', 'lost'], 0])
})
