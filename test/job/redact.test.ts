import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineJob } from '../../src/job/define.ts'
import { ErrandError } from '../../src/job/errors.ts'
import { prepare } from '../../src/job/prepare.ts'
import { withoutValues } from '../../src/job/redact.ts'

const TOLD: [string, unknown, string][] = [
  // As valibot and arktype say it.
  [
    'Invalid type: Expected number but received "Ada"',
    'Ada',
    'Invalid type: Expected number but received "…"',
  ],
  ['must be a string (was 41119999)', 41_119_999, 'must be a string (was …)'],
  [
    'must be ok (was {"name":"Ada Lovelace","of":"Ada"})',
    { name: 'Ada Lovelace', of: 'Ada' },
    'must be ok (was {"name":"…","of":"…"})',
  ],
  ['DE4242 is no IBAN, DE4242!', 'DE4242', '… is no IBAN, …!'],
  ['this was Alan Turing', { of: 'Alan', name: 'Alan Turing' }, 'this was …'],
  ['got "(o"', '(o', 'got "…"'],
  // A short text may be a word of the message.
  ['expected a text, got a', 'a', 'expected a text, got a'],
  ['nothing of it', undefined, 'nothing of it'],
  ['an (odd) one', '(odd)', 'an … one'],
  ['$1 and $& stay', 'whatever', '$1 and $& stay'],
]
for (const [message, value, told] of TOLD)
  test(`“${message}” is told without ${JSON.stringify(value)}`, () => {
    assert.equal(withoutValues(message, value), told)
  })

test('what a schema says of an input is told without the input', async () => {
  const refused = (value: string) => value.length < 3
  const input = z.object({
    people: z.array(
      z.string().refine(refused, { error: ({ input }) => `${String(input)} is none` }),
    ),
  })
  const job = defineJob({ name: 'a', input })
  await assert.rejects(
    async () => prepare(job, { people: ['Al', 'Ada Lovelace'] }),
    (error) => {
      assert(error instanceof ErrandError)
      assert.deepEqual(error.issues, [
        { pointer: '/people/1', code: 'invalid', detail: '… is none' },
      ])
      return true
    },
  )
})
