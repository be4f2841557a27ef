import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { expand } from '../../src/base/zstd.ts'
import { hasCode } from '../../src/job/errors.ts'
import type { Report } from '../../src/job/outcome.ts'
import { hasEnded, lives } from '../support/alive.ts'
import { counting } from '../support/counting.ts'
import { textOf } from '../support/jobs.ts'
import { folder, pathOf, resultOf, start, Troupe } from '../support/troupe.ts'
import { eventually } from '../support/until.ts'
import { Workplace } from '../support/workplace.ts'
import { echo, hang } from './fixture.app.ts'

const broken = join(folder, 'broken')
process.env['FIXTURE_BROKEN_WHEN'] = broken

test('handlers run in processes of their own', async () => {
  await using troupe = await Troupe.start({ processes: 2 })
  assert.deepEqual(troupe.crew.manifest, [
    'echo',
    'pid',
    'hang',
    'spin',
    'deaf',
    'parent',
    'leave',
    'stray',
    'litter',
    'haunt',
    'hoard',
    'errand.canary',
  ])
  const reports = await Promise.all(
    [troupe.begin('pid'), troupe.begin('pid')].map((job) => troupe.report(job)),
  )
  const pids = reports.map((report) => report.how === 'completed' && textOf(report.result))
  assert.equal(new Set([...pids, `${process.pid}`]).size, 3)
})

test('a large input and a large result pass through whole', async () => {
  await using troupe = await Troupe.start()
  const text = JSON.stringify({ text: 'é😀'.repeat(30_000) })
  const report = await troupe.report(troupe.begin('echo', { input: text }))
  assert(report.how === 'completed')
  assert.equal(textOf(expand(report.result ?? assert.fail())), text)
})

test('an abort reaches the handler in its process', async () => {
  await using troupe = await Troupe.start()
  const job = troupe.begin('hang')
  await troupe.pidOf(job)
  troupe.crew.abort(job.id, job.fence - 1, 'cancelled')
  troupe.crew.abort(job.id, job.fence, 'cancelled')
  assert.deepEqual(await troupe.report(job), { how: 'cancelled' })
})

test('a killed executor’s jobs are reported as crashed, and another takes its place', async () => {
  await using troupe = await Troupe.start()
  const [first, second] = [troupe.begin('hang'), troupe.begin('hang')]
  const pid = await troupe.pidOf(first)
  process.kill(pid, 'SIGKILL')
  assert.deepEqual(await troupe.report(first), { how: 'crashed', why: 'SIGKILL' })
  assert.deepEqual(await troupe.report(second), { how: 'crashed', why: 'SIGKILL' })
  assert.notEqual(await resultOf(troupe, 'pid'), pid)
})

test('while an executor is replaced, its jobs are not claimed over and over', async () => {
  await using place = await Workplace.open(echo, hang)
  const { store, calls } = counting(place.store)
  place.store = store
  await using crew = await start()
  const worker = await place.work(crew, { pollMs: 100 })
  const { id } = await place.client.enqueue(hang, {})
  const pid = await eventually(async () => (await place.watch.job(id)).progress?.done)
  await place.client.enqueue(echo, 'after')
  process.kill(pid, 'SIGKILL')
  const before = calls.get('exchange') ?? 0
  await eventually(async () => ((await place.watch.job(id)).progress?.done ?? pid) !== pid)
  const during = (calls.get('exchange') ?? 0) - before
  crew.abandon()
  await worker.stop()
  assert(during < 50, `${during} exchanges`)
  assert((await place.watch.job(id)).rev < 20, `rev ${(await place.watch.job(id)).rev}`)
})

test('what has not begun is handed back when it is recalled', async () => {
  await using troupe = await Troupe.start({ concurrency: 1 })
  const first = troupe.begin('hang')
  const waiting = [troupe.begin('echo'), troupe.begin('echo')]
  await troupe.pidOf(first)
  troupe.crew.recall()
  for (const job of waiting)
    assert.deepEqual(await troupe.report(job), { how: 'released', begun: false })
  troupe.crew.abort(first.id, first.fence, 'cancelled')
  assert.deepEqual(await troupe.report(first), { how: 'cancelled' })
})

test('an abandoned handler is stopped by force, even one that hears nothing', async () => {
  await using troupe = await Troupe.start()
  const job = troupe.begin('spin')
  const pid = await troupe.pidOf(job)
  troupe.crew.abandon()
  assert.deepEqual(await troupe.report(job), { how: 'released', begun: true })
  await hasEnded(pid)
})

test('what a handler started dies with its executor', async () => {
  await using troupe = await Troupe.start()
  const job = troupe.begin('parent')
  const pid = await troupe.pidOf(job)
  assert(lives(pid))
  troupe.crew.abandon()
  await hasEnded(pid)
})

test('a stop leaves no process behind', async () => {
  const crew = await Troupe.start({ processes: 2 })
  const reports = await Promise.all(
    [crew.begin('pid'), crew.begin('pid')].map((job) => crew.report(job)),
  )
  await crew.crew[Symbol.asyncDispose]()
  for (const report of reports) {
    assert(report.how === 'completed')
    await hasEnded(Number(textOf(report.result)))
  }
})

test('an app that cannot be loaded or started is refused, with the reason', async () => {
  const refused = { args: [pathOf('no.app.ts'), folder] }
  await assert.rejects(start(refused), (error) => hasCode(error, 'INVALID_APP'))
  writeFileSync(broken, '')
  await assert.rejects(start({ processes: 2 }), /cannot start now/)
  rmSync(broken)
})

test(
  'an executor that cannot start again is tried again, and holds no job meanwhile',
  { timeout: 20_000 },
  async (t) => {
    const errors: unknown[] = []
    const troupe = await Troupe.start({ onError: (error) => errors.push(error) })
    // What cannot be ended in good order is ended by force.
    t.after(() => troupe.crew.abandon())
    const job = troupe.begin('hang')
    const pid = await troupe.pidOf(job)
    writeFileSync(broken, '')
    process.kill(pid, 'SIGKILL')
    await troupe.report(job)
    await eventually(() => errors.length > 0)
    const answers: Report[] = []
    void troupe.report(troupe.begin('echo')).then((report) => answers.push(report))
    rmSync(broken)
    const { how } = await eventually(() => answers[0])
    assert(['released', 'completed'].includes(how), how)
    assert.notEqual(await resultOf(troupe, 'pid'), pid)
    await troupe[Symbol.asyncDispose]()
  },
)
