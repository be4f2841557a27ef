import assert from 'node:assert/strict'
import { test } from 'node:test'
import { derivedId, isId, newId } from '../../src/base/id.ts'

const UUID_V8 = /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

test('the same parts always give the same UUIDv8', () => {
  const id = derivedId('tenant', 'POST /v1/jobs', 'key')
  assert.equal(id, derivedId('tenant', 'POST /v1/jobs', 'key'))
  for (let i = 0; i < 1000; i++) assert.match(derivedId(`${i}`), UUID_V8)
})

test('other parts give another id, however they are cut', () => {
  const parts = [[], [''], ['', ''], ['abc'], ['a', 'bc'], ['ab', 'c'], ['a', 'b', 'c'], ['1:a']]
  const ids = parts.map((given) => derivedId(...given))
  assert.equal(new Set(ids).size, parts.length)
})

test('new ids rise, within a millisecond too, and none comes twice', () => {
  const ids = Array.from({ length: 2000 }, newId)
  assert.deepEqual(ids, ids.toSorted())
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids)
    assert.match(id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
})

test('what is derived or new is an id, and nothing else is', () => {
  assert(isId(derivedId('a')))
  assert(isId(newId()))
  for (const text of ['', 'x', newId().toUpperCase(), `${newId()} `, newId().replaceAll('-', '')])
    assert(!isId(text), text)
})
