import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJson, encodeJson, findUnfit, type Unfit } from '../../src/base/json.ts'

const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic

/** Arrays within arrays, so many levels in all. */
function nested(levels: number): unknown {
  let value: unknown = []
  for (let level = 1; level < levels; level++) value = [value]
  return value
}

const UNFIT: [string, unknown, Unfit['why'], string?][] = [
  ['a cycle', cyclic, 'too_deep', '/self'.repeat(64)],
  ['65 levels', nested(65), 'too_deep', '/0'.repeat(64)],
  ['10 001 members', Array.from({ length: 10_001 }, () => 0), 'too_many_members', ''],
  ['10 001 members in all', { a: Array(5000).fill(0), b: Array(5000).fill(0) }, 'too_many_members'],
  ['nothing', undefined, 'not_json', ''],
  ['a BigInt', { sum: 1n }, 'not_json', '/sum'],
  ['a function', [() => 1], 'not_json', '/0'],
  ['a symbol', { it: Symbol('it') }, 'not_json', '/it'],
  ['no number', [0, Number.NaN], 'not_json', '/1'],
  ['an infinite number', { far: -Infinity }, 'not_json', '/far'],
  ['half a character', { text: 'a\ud83d' }, 'lone_surrogate', '/text'],
  ['half a character, the other', '\ude00a', 'lone_surrogate', ''],
  ['a key of half a character', { '\ud83d': 1 }, 'lone_surrogate', '/\ud83d'],
  ['a way into prototypes', JSON.parse('{"a":{"__proto__":1}}'), 'forbidden_key', '/a/__proto__'],
  ['another', { constructor: { prototype: {} } }, 'forbidden_key', '/constructor'],
  ['a key with slashes', { 'a/b~c': 1n }, 'not_json', '/a~1b~0c'],
]

test('the first place that could not be stored is named, with its reason', () => {
  for (const [what, value, why, pointer] of UNFIT) {
    const unfit = findUnfit(value)
    assert.equal(unfit?.why, why, what)
    if (pointer !== undefined) assert.equal(unfit?.pointer, pointer, what)
  }
})

test('what JSON can carry is fit', () => {
  const fit = [
    null,
    true,
    0,
    -1.5,
    '',
    '😀',
    [],
    {},
    nested(64),
    Array(10_000).fill(0),
    { left: undefined, out: 1 },
    new Date(0),
    { constructor: 'a word' },
    Object.create(null),
  ]
  for (const value of fit) assert.equal(findUnfit(value), undefined)
})

test('values come back from their bytes as they were', () => {
  for (const value of [null, 'é😀', { a: [1, { b: false }] }]) {
    const bytes = encodeJson(value)
    assert(bytes)
    assert.deepEqual(decodeJson(bytes), value)
  }
  assert.equal(encodeJson(undefined), undefined)
})

test('bytes that are no text or no JSON are refused', () => {
  assert.throws(() => decodeJson(Buffer.of(0x22, 0xff, 0x22)), TypeError)
  assert.throws(() => decodeJson(Buffer.from('{')), SyntaxError)
})
