import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hiring } from '../../src/worker/hiring.ts'
import { settled } from '../support/counting.ts'
import { HOUR } from '../support/jobs.ts'

/** An office on a machine that cannot start the first few, and what it complained about. */
function office(failures: number, restMs: number) {
  const errors: unknown[] = []
  let tries = 0
  const start = (share: number) => {
    if (++tries <= failures) throw new Error(`no room for the ${tries}th`)
    return { share, bornAt: performance.now() }
  }
  const hiring = new Hiring(start, (error) => errors.push(error), { min: restMs, max: restMs })
  return { hiring, errors, tries: () => tries }
}

test('who dies is followed at once, the next time only after a rest', async () => {
  const { hiring, tries } = office(0, HOUR)
  const first = hiring.now(3)
  assert(first)
  await hiring.after(first, ({ share }) => assert.equal(share, 3))
  const second = hiring.after(first, () => undefined)
  // Whatever can happen without time passing has happened.
  await settled()
  assert.equal(tries(), 2)
  hiring[Symbol.dispose]()
  await second
  assert.equal(tries(), 2)
})

test('what cannot be started now is told of, and tried again until it can', async () => {
  const { hiring, errors, tries } = office(2, 1)
  assert.equal(hiring.now(1), undefined)
  let hired = 0
  await hiring.later(1, () => hired++)
  assert.deepEqual([errors.length, tries(), hired], [2, 3, 1])
})

test('nobody is hired once all is over', async () => {
  const { hiring, tries } = office(99, HOUR)
  const waiting = hiring.later(1, () => assert.fail('somebody was hired'))
  hiring[Symbol.dispose]()
  await waiting
  assert(hiring.isOver && tries() <= 1)
})
