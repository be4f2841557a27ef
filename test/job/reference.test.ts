import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { decodeJson } from '../../src/base/json.ts'
import { defineJob } from '../../src/job/define.ts'
import { ErrandError } from '../../src/job/errors.ts'
import { readPolicy } from '../../src/job/policy.ts'
import { prepare } from '../../src/job/prepare.ts'
import { findUndeclared } from '../../src/job/reference.ts'

const REFERENCES = ['recordId', 'days', 'a/b']
const job = defineJob({
  name: 'report',
  // A schema that lets more through than it names: what is stored is what was given.
  input: z.object({ recordId: z.string() }),
  data: 'reference',
  references: REFERENCES,
})

const FIT: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['an empty object', {}],
  ['declared fields', { recordId: 'r-1', days: 3, 'a/b': true }],
  ['a list of them', { recordId: ['r-1', 2, null] }],
]
for (const [what, value] of FIT)
  test(`${what} may rest by reference`, () => {
    assert.deepEqual(findUndeclared(value, REFERENCES), [])
  })

const UNFIT: [string, unknown, string][] = [
  ['a bare text', 'Ada Lovelace', ''],
  ['a bare number', 42, ''],
  ['a list', [{ recordId: 'r-1' }], ''],
  ['another field', { recordId: 'r-1', name: 'Ada' }, '/name'],
  ['a field with a slash and a tilde', { 'n/a~me': 1 }, '/n~1a~0me'],
  ['an object within', { recordId: { name: 'Ada' } }, '/recordId'],
  ['a long text', { recordId: 'x'.repeat(201) }, '/recordId'],
  ['a long text in a list', { recordId: ['r-1', 'x'.repeat(201)] }, '/recordId/1'],
  ['a long list', { recordId: Array.from({ length: 1001 }, (_, i) => i) }, '/recordId'],
]
for (const [what, value, pointer] of UNFIT)
  test(`${what} is more than a reference, at "${pointer}"`, () => {
    const issues = findUndeclared(value, REFERENCES)
    assert.deepEqual(
      issues.map((issue) => [issue.pointer, issue.code]),
      [[pointer, 'undeclared']],
    )
    assert(!JSON.stringify(issues).includes('Ada'))
  })

test('what is more than declared is refused at the door, though its schema lets it through', async () => {
  const given = { recordId: 'r-1', name: 'Ada', born: new Date() }
  await assert.rejects(
    async () => prepare(job, given),
    (error) => {
      assert(error instanceof ErrandError)
      assert.equal(error.code, 'INVALID_INPUT')
      assert.deepEqual(
        error.issues.map(({ pointer }) => pointer),
        ['/name', '/born'],
      )
      return true
    },
  )
  const { input, policy } = await prepare(job, { recordId: 'r-1', days: 3 })
  assert.deepEqual(decodeJson(input), { recordId: 'r-1', days: 3 })
  // Whoever gives it another input finds there what it may hold.
  const { data, references } = readPolicy(policy)
  assert.deepEqual([data, references], ['reference', REFERENCES])
})

test('references are declared where data rests by them, and only there', () => {
  const define = (over: object) => () => defineJob({ name: 'a', input: z.unknown(), ...over })
  const option = (error: unknown) =>
    error instanceof ErrandError &&
    error.code === 'INVALID_OPTION' &&
    /references/.test(error.message)
  assert.throws(define({ data: 'reference' }), option)
  assert.throws(define({ data: 'reference', references: 'recordId' }), option)
  assert.throws(define({ data: 'reference', references: [''] }), option)
  assert.throws(define({ references: ['recordId'] }), option)
  assert.throws(define({ data: 'sealed', references: ['recordId'] }), option)
  define({ data: 'reference', references: [] })()
})
