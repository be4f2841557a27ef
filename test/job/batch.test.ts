import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isId, newId } from '../../src/base/id.ts'
import { endJobOf, itemId } from '../../src/job/batch.ts'
import { chore } from '../support/jobs.ts'

test('an item has one id, whoever asks in which order, and no other has it', () => {
  const batches = [newId(), newId()]
  const places = [0, 1, 0xffff, 1_000_000].flatMap((index) =>
    batches.map((batch) => ({ batch, index })),
  )
  const ids = places.map(itemId)
  assert.equal(new Set(ids).size, places.length)
  assert.deepEqual(places.toReversed().map(itemId), ids.toReversed())
  for (const id of ids) assert(isId(id) && id[14] === '8', id)
})

test('items of a batch lie side by side', () => {
  const batch = newId()
  const ids = [9, 10, 255, 256, 70_000].map((index) => itemId({ batch, index }))
  assert.deepEqual(ids, ids.toSorted())
})

test('each ending has a job of its own, until they cannot be counted any more', () => {
  const end = chore({ id: newId() })
  const of = (ending: number) => endJobOf(end, ending).id.slice(-4)
  assert.deepEqual([1, 2, 65_535, 65_536].map(of), ['0001', '0002', 'ffff', 'ffff'])
})
