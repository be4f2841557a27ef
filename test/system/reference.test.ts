import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MERGED, until } from '../support/command.ts'
import { openGround } from '../support/ground.ts'
import { workplace } from '../support/place.ts'
import { readStores } from '../support/stores.ts'
import { tracesOf } from '../support/traces.ts'

/** What lies where a reference points to, and nowhere else: no byte of a database or a log may hold it. */
const CANARY = 'canary-7d1e-referred'
const ENDS = {
  complete: 'completed',
  fail: 'failed',
  crash: 'failed',
  hang: 'failed',
  return: 'failed',
  stray: 'completed',
} as const

for (const store of readStores())
  test(`what a reference points to lies in no byte of ${store}, however a job ends`, async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'errand-referred-'))
    const file = join(elsewhere, 'data.txt')
    writeFileSync(file, CANARY)
    await using ground = await openGround(store)
    const url = store === 'sqlite' ? undefined : ground.fresh('')
    await using place = await workplace(url ? { ERRAND_STORE: url } : {}, url)
    const { errand, here } = place
    const worker = here.startIn(MERGED, 'worker', '--log-level', 'trace')
    const serve = here.startIn(MERGED, 'serve', '--log-level', 'trace')
    const door = String((await serve.said('serving')).url)
    await worker.said('worker started')
    for (const [how, end] of Object.entries(ENDS)) {
      const { id } = await errand.enqueue('report', { file, how })
      const view = await errand.ended(id, 30_000)
      assert.equal(view.state, end, how)
      if (how === 'complete') assert.deepEqual(view.result, { rows: CANARY.length })
      if (how === 'fail') assert.equal(view.error?.code, 'E_ROW')
      const shown = await (await fetch(`${door}/v1/jobs/${id}`)).text()
      assert(!shown.includes(CANARY))
    }
    const body = JSON.stringify({ job: 'report', input: { file, how: 'complete', name: CANARY } })
    const headers = { 'content-type': 'application/json' }
    const refused = await fetch(`${door}/v1/jobs`, { method: 'POST', body, headers })
    const problem = await refused.text()
    assert.equal(refused.status, 422)
    assert.match(problem, /"pointer":"\/input\/name"/)
    assert(!problem.includes(CANARY))
    assert.deepEqual(await errand.verify(), [])

    const stray = () => worker.text.some((line) => line.includes('no running job can answer for'))
    await until(async () => stray() || undefined, 'a stray error was not told')
    worker.signal('SIGTERM')
    await worker.exit()
    const logs = [worker, serve]
      .flatMap(({ lines, text }) => [...lines.map((line) => JSON.stringify(line)), ...text])
      .join('')
    assert(!logs.includes(CANARY))
    assert.deepEqual(tracesOf(CANARY, here.folder, ground.server?.folder), [])
    await ground.server?.kill('SIGINT')
    assert.deepEqual(tracesOf(CANARY, here.folder, ground.server?.folder), [])
    rmSync(elsewhere, { recursive: true })
  })
