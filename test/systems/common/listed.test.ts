import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineJob, open } from 'errand'
import { z } from 'zod'
import { listed } from '../../../systems/common/listed.ts'

const [rare, common] = ['rare', 'common'].map((name) =>
  defineJob({ name, input: z.object({ n: z.int() }) }),
)

test('what a system did last is found behind whatever others did since', async () => {
  await using errand = await open('sqlite::memory:')
  const inputs = (count: number) => Array.from({ length: count }, (_, n) => ({ n }))
  await errand.enqueueMany(rare!, inputs(3))
  await errand.enqueueMany(common!, inputs(2500))
  assert.equal((await errand.list({ job: 'rare' }, 20)).jobs.length, 0, 'a page is short')
  assert.equal((await listed(errand, { job: 'rare' }, 20)).length, 3)
  assert.equal((await listed(errand, { job: 'common' }, 20)).length, 20)
})
