import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { type Errand, open } from '../../src/open.ts'
import { anything } from '../support/schema.ts'

const text = 'a guideline says what is to be done, and what is not. '.repeat(900)
const anyText = anything<string>()
const sealKeys = `k:${randomBytes(32).toString('base64')}`

const page = defineJob({
  name: 'page',
  input: anything<{ text: string }>(),
  output: anything<{ text: string }>(),
  run: ({ text: given }) => ({ text: given.toUpperCase() }),
})
const defineBook = (name: string, data: 'inline' | 'sealed') =>
  defineJob({
    name,
    data,
    input: anything<{ text: string }>(),
    output: anything<{ text: string; said: string }>(),
    async run({ text: given }, { step, waitFor, call }) {
      const { text: kept } = await step('keep', () => ({ text: given }))
      const { text: made } =
        data === 'inline' ? await call('page', page, { text: kept }) : { text: kept.toUpperCase() }
      const said = await waitFor('say', { schema: anyText })
      return { text: made, said }
    },
  })
const [book, secret] = [defineBook('book', 'inline'), defineBook('secret', 'sealed')]

for (const job of [book, secret])
  test(`large values of the job ${job.name} rest in few bytes, and come back as they were`, async () => {
    await using errand = await open('sqlite::memory:', { sealKeys })
    await errand.work({ jobs: [page, job] })
    const id = '0190b0a0-0000-7000-8000-000000000001'
    await errand.enqueue(job, { text }, { id })
    await errand.signal(id, 'say', text)
    const result = await errand.result(job, id, { wait: '20s' })
    assert.deepEqual(result, { text: text.toUpperCase(), said: text })
    assert.deepEqual(await errand.input(id), { text })
    // A repeat is known by what was given, not by the bytes that were kept.
    assert.deepEqual(await errand.enqueue(job, { text }, { id }), { id, joined: true })
    await assertFew(errand, id)
  })

async function assertFew({ store, steps }: Errand, id: string): Promise<void> {
  const [row] = await store.find([id])
  const [mail, kept] = [await store.mail(id), await store.steps(id)]
  const all = [row?.input, row?.result, ...[...mail, ...kept].map(({ value }) => value)]
  for (const bytes of all) assert((bytes?.length ?? 0) < text.length / 10)
  const [first] = await steps(id)
  assert.deepEqual(first?.value, { text })
}

test('another input for a retry is kept in few bytes too', async () => {
  await using errand = await open('sqlite::memory:')
  const { id } = await errand.enqueue(page, { text: '' })
  await errand.cancel(id)
  await errand.retry(id, { input: { text } })
  const [row] = await errand.store.find([id])
  assert((row?.input.length ?? 0) < text.length / 10)
  await errand.work({ jobs: [page] })
  assert.deepEqual(await errand.result(page, id, { wait: '20s' }), { text: text.toUpperCase() })
})
