import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSealed, Keyring, type Place } from '../../src/job/seal.ts'
import { newId } from '../../src/base/id.ts'
import { bytes, textOf } from '../support/jobs.ts'

const keyOf = (n: number) => Buffer.alloc(32, n).toString('base64')
const ringOf = (...parts: string[]): Keyring =>
  Keyring.read(parts.join(',')) ?? assert.fail('no keys')
const A = `a:${keyOf(1)}`
const B = `b:${keyOf(2)}`
const place = (over: Partial<Place> = {}): Place => ({
  tenant: 'acme',
  id: newId(),
  field: 'input',
  ...over,
})

test('what was sealed opens where it was sealed, and says nothing elsewhere', () => {
  const ring = ringOf(A)
  const here = place()
  for (const said of ['', '{"iban":"DE02"}', 'x'.repeat(100_000)]) {
    const sealed = ring.seal(bytes(said), here)
    assert(isSealed(sealed) && !Buffer.from(sealed).includes('DE02'))
    assert.equal(textOf(ring.open(sealed, here)), said)
  }
  const sealed = ring.seal(bytes('mine'), here)
  const elsewhere = [
    { ...here, id: newId() },
    { ...here, field: 'result' },
    { ...here, tenant: '' },
  ]
  for (const other of elsewhere)
    assert.throws(() => ring.open(sealed, other), { code: 'SEAL_BROKEN' })
})

test('the same bytes are never sealed to the same', () => {
  const [ring, here] = [ringOf(A), place()]
  const all = Array.from({ length: 50 }, () =>
    Buffer.from(ring.seal(bytes('a'), here)).toString('hex'),
  )
  assert.equal(new Set(all).size, all.length)
})

test('a changed bit, a cut tag or a cut envelope opens nothing', () => {
  const [ring, here] = [ringOf(A), place()]
  const sealed = Buffer.from(ring.seal(bytes('secret'), here))
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.throws(() => ring.open(changed, here), /cannot be opened|no key/)
  }
  for (const cut of [1, 4, 12, 15, 16, 40, 100, sealed.length - 1])
    assert.throws(() => ring.open(sealed.subarray(0, sealed.length - cut), here))
})

test('the first key seals, all open, and a key that was taken away opens nothing', () => {
  const here = place()
  const old = ringOf(A).seal(bytes('old'), here)
  const both = ringOf(B, A)
  assert.equal(textOf(both.open(old, here)), 'old')
  const fresh = both.seal(bytes('fresh'), here)
  assert.throws(() => ringOf(A).open(fresh, here), { code: 'SEAL_UNKNOWN' })
  assert.equal(textOf(ringOf(B).open(fresh, here)), 'fresh')
  // Another key under the same name is another key.
  assert.throws(() => ringOf(`b:${keyOf(3)}`).open(fresh, here), { code: 'SEAL_BROKEN' })
})

test('marks are the same for the same value, also while keys change, and no way back', () => {
  assert.equal(ringOf(A).mark('v'), ringOf(B, A).mark('v'))
  assert.notEqual(ringOf(A).mark('v'), ringOf(A).mark('w'))
  assert.notEqual(ringOf(A).mark('v'), ringOf(B).mark('v'))
})

test('keys are read strictly', () => {
  const wrongs = [
    '',
    'a',
    `a:${keyOf(1).slice(4)}`,
    `a:${keyOf(1)}${keyOf(1)}`,
    `a:${keyOf(1).replace('A', '*')}`,
    `${A},${A}`,
    `:${keyOf(1)}`,
    `a b:${keyOf(1)}`,
  ]
  for (const wrong of wrongs) assert.equal(Keyring.read(wrong), undefined, wrong)
  assert.deepEqual(ringOf(A, ` ${B}`).ids, ['a', 'b'])
})
