import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FatalError } from '../../src/job/control.ts'
import {
  describe,
  encodeFailure,
  encodeKind,
  encodeThrown,
  readFailure,
} from '../../src/job/failure.ts'

test('an error is kept by name, message, code and stack', () => {
  const { stack, ...kept } = describe(Object.assign(new TypeError('no'), { code: 'E_NO' }))
  assert.deepEqual(kept, { name: 'TypeError', message: 'no', code: 'E_NO' })
  assert.match(stack ?? '', /failure\.test\.ts/)
  assert.equal(describe(new FatalError('enough')).name, 'FatalError')
})

test('a code that is a number is kept as text, and anything else is left out', () => {
  assert.equal(describe(Object.assign(new Error('no'), { code: 42 })).code, '42')
  assert.equal(describe(Object.assign(new Error('no'), { code: { deep: true } })).code, undefined)
})

test('whatever is thrown can be described', () => {
  const thrown: unknown[] = ['text', 0, null, undefined, { a: 1 }, Symbol('s'), 1n, [1, 2]]
  for (const value of thrown) assert.equal(describe(value).name, 'Thrown')
  assert.equal(describe('text').message, 'text')
})

test('even what cannot be made a text can be described', () => {
  assert.equal(describe(Object.create(null)).name, 'Thrown')
})

test('each part of an error has a bounded length', () => {
  const huge = 'x'.repeat(100_000)
  const error = Object.assign(new Error(huge), { name: huge, code: huge })
  for (const part of Object.values(describe(error))) assert.equal(part?.length, 8193)
  assert.equal(describe(huge).message.length, 8193)
  assert.equal(describe(new Error('x'.repeat(8192))).message.length, 8192)
})

test('a failure is read as it was written, and what is none is said to be unreadable', () => {
  assert.deepEqual(readFailure(encodeFailure('Lost', 'gone')), { name: 'Lost', message: 'gone' })
  assert.equal(readFailure(encodeThrown(new RangeError('far'))).name, 'RangeError')
  assert.equal(readFailure(Buffer.of(0xff)).name, 'Unreadable')
})

test('an error’s kind is kept without any text of it', () => {
  const told = Object.assign(new RangeError('for Ada\n    at home (secret)'), { code: 'E_ADA' })
  const { name, message, code, stack = '' } = readFailure(encodeKind(told))
  assert.deepEqual([name, code], ['RangeError', 'E_ADA'])
  assert.match(message, /not kept/)
  assert.match(stack, /failure\.test\.ts/)
  const odd = Object.assign(new Error('Ada '.repeat(4000)), { name: 'Ada L.', code: 'of Ada' })
  const shown = [told, odd, 'Ada', new Error('no', { cause: 'Ada' })].map((thrown) =>
    Buffer.from(encodeKind(thrown)).toString(),
  )
  assert.deepEqual(
    shown.filter((text) => /Ada|secret/.test(text)),
    [],
  )
})
