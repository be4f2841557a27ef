import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrandError } from 'errand'
import { z } from 'zod'
import { fit } from '../../../systems/common/fit.ts'

const Order = z.strictObject({
  name: z.string().min(2).max(5),
  count: z.int().min(1).max(9),
  lines: z.array(z.strictObject({ sku: z.string().regex(/^\d+$/, 'needs digits') })).min(1),
  size: z.enum(['s', 'm']),
  id: z.uuid(),
  at: z.iso.datetime(),
  gift: z.boolean(),
  'a/b': z.string(),
})

const GOOD = {
  name: 'Ada',
  count: 1,
  lines: [{ sku: '1' }],
  size: 's',
  id: '00000000-0000-4000-8000-000000000000',
  at: '2026-11-21T02:00:00Z',
  gift: true,
  'a/b': '',
}

function faultsOf(given: object): string[] {
  try {
    fit(Order, { ...GOOD, ...given })
    return []
  } catch (error) {
    assert.ok(error instanceof ErrandError)
    return error.issues.map(({ pointer, detail }) => `${pointer} ${detail}`)
  }
}

test('what fits is handed on', () => assert.deepEqual(faultsOf({}), []))

for (const [given, said] of [
  [{ name: undefined }, '/name is missing'],
  [{ name: 7 }, '/name must be a text'],
  [{ name: 'A' }, '/name must have at least 2 characters'],
  [{ name: 'Augusta' }, '/name must have at most 5 characters'],
  [{ count: '1' }, '/count must be a number'],
  [{ count: 1.5 }, '/count must be a whole number'],
  [{ count: 0 }, '/count must be at least 1'],
  [{ count: 10 }, '/count must be at most 9'],
  [{ lines: {} }, '/lines must be a list'],
  [{ lines: [] }, '/lines must not be empty'],
  [{ lines: [1] }, '/lines/0 must be an object'],
  [{ lines: [{ sku: 'x' }] }, '/lines/0/sku needs digits'],
  [{ size: 'xl' }, '/size must be one of s, m'],
  [{ id: 'x' }, '/id must be a UUID'],
  [{ at: 'now' }, '/at must be a moment such as 2026-11-21T02:00:00Z'],
  [{ gift: 'yes' }, '/gift must be true or false'],
  [{ 'a/b': 1 }, '/a~1b must be a text'],
  [{ x: 1 }, '/x is not known here'],
  [{ '+15550142004': 1 }, '/… is not known here'],
] as const)
  test(`a fault is told by its place, in a plain sentence: ${said}`, () => {
    assert.deepEqual(faultsOf(given), [said])
  })
