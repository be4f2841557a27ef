import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { defineJob } from '../../src/job/define.ts'
import { hasCode } from '../../src/job/errors.ts'
import { open } from '../../src/open.ts'
import { anything } from '../support/schema.ts'

test('a result that was kept for a time is told to be over, not to be nothing', async () => {
  await using errand = await open('sqlite::memory:')
  const job = defineJob({
    name: 'double',
    input: anything<number>(),
    output: anything<number>(),
    keep: { input: 0, result: 0 },
    run: (n) => n * 2,
  })
  const worker = await errand.work({ jobs: [job] })
  const { id } = await errand.enqueue(job, 21)
  await errand.ended(id, 10_000)
  await worker.stop()
  await errand.store.purge(10)
  const { state, result, dropped } = await errand.job(id)
  assert.deepEqual([state, result, dropped], ['completed', undefined, ['input', 'result']])
  await assert.rejects(errand.result(job, id), (error) => hasCode(error, 'RESULT_DROPPED'))
  assert.deepEqual(await errand.verify(), [])
})

test('files stay as long as the definition says, unless their handler says it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'errand-keep-'))
  t.after(() => rmSync(folder, { recursive: true }))
  await using errand = await open('sqlite::memory:', { files: `file:${folder}` })
  const job = defineJob({
    name: 'write',
    input: anything<number>(),
    keep: { files: '1h' },
    run: async (_, { artifact }) => {
      await artifact('usual.txt', 'a')
      await artifact('short.txt', 'b', { keep: '1m' })
    },
  })
  await errand.work({ jobs: [job] })
  const { id } = await errand.enqueue(job, 1)
  const { artifacts = [], endedAt = '' } = await errand.ended(id, 10_000)
  const kept = artifacts.map(({ file, expiresAt }) => [
    file,
    Date.parse(expiresAt) - Date.parse(endedAt),
  ])
  assert.deepEqual(kept, [
    ['short.txt', 60_000],
    ['usual.txt', 3_600_000],
  ])
})
