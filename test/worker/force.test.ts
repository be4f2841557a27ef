import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Claimed } from '../../src/job/job.ts'
import type { Report } from '../../src/job/outcome.ts'
import type { Limits } from '../../src/worker/crew.ts'
import { hasEnded, stateOf } from '../support/alive.ts'
import { textOf } from '../support/jobs.ts'
import { gist } from '../support/stage.ts'
import { folder, LONG, resultOf, start, Troupe } from '../support/troupe.ts'
import { eventually } from '../support/until.ts'

const SHORT: Limits = { softMs: 200, hardMs: 300, attemptsMax: 1, now: Date.now() }
const RELEASED: Report = { how: 'released', begun: true }

const pidsOf = (troupe: Troupe, jobs: readonly Claimed[]) =>
  Promise.all(jobs.map((job) => troupe.pidOf(job)))

/** How a job ended, in a few words. */
async function endOf(troupe: Troupe, job: Claimed): Promise<unknown[]> {
  const report = await troupe.report(job)
  return report.how === 'failed' ? gist(report) : [report.how]
}

test('an endless loop is stopped at its hard limit, and its neighbours are released', async () => {
  await using troupe = await Troupe.start({ concurrency: 6 })
  const neighbours = Array.from({ length: 5 }, () => troupe.begin('hang'))
  await pidsOf(troupe, neighbours)
  const loop = troupe.begin('spin', { limits: SHORT })
  const pid = await troupe.pidOf(loop)
  const [reason, retry] = await endOf(troupe, loop)
  assert.deepEqual([reason, retry], ['timeout', true])
  for (const job of neighbours) assert.deepEqual(await troupe.report(job), RELEASED)
  assert.deepEqual(troupe.cutOff.toSorted(), [...neighbours, loop].map(({ id }) => id).toSorted())
  await hasEnded(pid)
})

test('who blocks the event loop is to blame, although a neighbour’s limit passes first', async () => {
  await using troupe = await Troupe.start({ concurrency: 3 })
  const late = troupe.begin('hang')
  await troupe.pidOf(late)
  const loop = troupe.begin('spin', { limits: { ...SHORT, softMs: 440, hardMs: 440 } })
  const early = troupe.begin('hang', { limits: { ...SHORT, softMs: 400, hardMs: 400 } })
  const [reason] = await endOf(troupe, loop)
  assert.equal(reason, 'timeout')
  assert.deepEqual(await troupe.report(early), RELEASED)
  assert.deepEqual(await troupe.report(late), RELEASED)
})

test('one that may go on for long is released with those it keeps from running, and is alone from then on', async () => {
  await using troupe = await Troupe.start({ concurrency: 3 })
  const victim = troupe.begin('hang', { limits: SHORT })
  await troupe.pidOf(victim)
  const loop = troupe.begin('spin')
  assert.deepEqual(await troupe.report(loop), RELEASED)
  assert.deepEqual(await troupe.report(victim), RELEASED)
  const again = { ...loop, fence: 2 }
  await eventually(() => troupe.crew.places === 3)
  troupe.crew.begin(again, LONG)
  const other = troupe.begin('hang')
  await troupe.pidOf(other)
  assert.equal(typeof (await resultOf(troupe, 'pid')), 'number')
})

test('a handler that ignores its abort signal is stopped, and those that heed theirs are not blamed', async () => {
  await using troupe = await Troupe.start({ concurrency: 2 })
  const patient = troupe.begin('hang')
  const deaf = troupe.begin('deaf', { limits: SHORT })
  await pidsOf(troupe, [patient, deaf])
  const [reason, , message] = await endOf(troupe, deaf)
  assert.equal(reason, 'timeout')
  assert.match(String(message), /by force/)
  assert.deepEqual(await troupe.report(patient), RELEASED)
})

test('a handler that ends its process has crashed, and nobody else', async () => {
  await using troupe = await Troupe.start({ concurrency: 3 })
  const neighbours = [troupe.begin('hang'), troupe.begin('hang')]
  await pidsOf(troupe, neighbours)
  const leaver = troupe.begin('leave')
  const report = await troupe.report(leaver)
  assert(report.how === 'crashed')
  assert.match(report.why, /its handler ended it, exit code 0/)
  for (const job of neighbours) assert.deepEqual(await troupe.report(job), RELEASED)
})

test('an error that nobody caught fails the attempt it came from, and its executor is replaced', async () => {
  await using troupe = await Troupe.start({ concurrency: 2 })
  const neighbour = troupe.begin('hang')
  const pid = await troupe.pidOf(neighbour)
  assert.deepEqual(await endOf(troupe, troupe.begin('stray')), ['error', true, 'a stray error'])
  assert.notEqual(await resultOf(troupe, 'pid'), pid)
  troupe.crew.abort(neighbour.id, neighbour.fence, 'cancelled')
  assert.deepEqual(await troupe.report(neighbour), { how: 'cancelled' })
  await hasEnded(pid)
})

test('an error after a job’s end harms no other job, and the executor is replaced', async () => {
  await using troupe = await Troupe.start()
  const report = await troupe.report(troupe.begin('stray', { input: '"after"' }))
  assert(report.how === 'completed')
  await hasEnded(Number(textOf(report.result)))
  assert.equal(typeof (await resultOf(troupe, 'pid')), 'number')
})

test('a job with a crash behind it runs alone, and so does one that asks for it', async () => {
  await using troupe = await Troupe.start({ processes: 2, concurrency: 4 })
  const alone = [
    troupe.begin('hang', { over: { crashes: 1 } }),
    troupe.begin('hang', { policy: { isolate: true } }),
  ]
  await eventually(() => troupe.crew.places === 4)
  const shared = Array.from({ length: 2 }, () => troupe.begin('hang'))
  const [first, second, ...others] = await pidsOf(troupe, [...alone, ...shared])
  assert.notEqual(first, second)
  assert(!others.includes(first ?? 0) && !others.includes(second ?? 0))
  assert(new Set(others).size <= 2)
})

test('jobs that run alone do not wait for each other', async () => {
  await using troupe = await Troupe.start({ concurrency: 4 })
  const jobs = Array.from({ length: 4 }, () => troupe.begin('hang', { policy: { isolate: true } }))
  assert.equal(new Set(await pidsOf(troupe, jobs)).size, 4)
})

test('a job that waits to be alone is handed back when it is recalled, and ended when it is cancelled', async () => {
  await using troupe = await Troupe.start({ concurrency: 1 })
  const policy = { isolate: true }
  const first = troupe.begin('hang', { policy })
  await troupe.pidOf(first)
  const [cancelled, recalled] = [troupe.begin('echo', { policy }), troupe.begin('echo', { policy })]
  troupe.crew.abort(cancelled.id, cancelled.fence, 'cancelled')
  troupe.crew.recall()
  assert.deepEqual(await troupe.report(cancelled), { how: 'cancelled' })
  assert.deepEqual(await troupe.report(recalled), { how: 'released', begun: false })
})

test('a handler that goes on after its cancel is stopped by force, with what it started', async () => {
  await using troupe = await Troupe.start({ concurrency: 2 })
  const [deaf, parent] = [troupe.begin('spin'), troupe.begin('parent')]
  const pids = await pidsOf(troupe, [deaf, parent])
  troupe.crew.stop(deaf.id, deaf.fence, { how: 'cancelled' })
  assert.deepEqual(await troupe.report(deaf), { how: 'cancelled' })
  assert.deepEqual(await troupe.report(parent), RELEASED)
  for (const pid of pids) await hasEnded(pid)
})

test('an executor ends by itself once the time its foreman gave is over, and its jobs are released', async () => {
  await using troupe = await Troupe.start({ concurrency: 2 })
  const [deaf, patient] = [troupe.begin('spin'), troupe.begin('hang')]
  const [pid = 0] = await pidsOf(troupe, [deaf])
  troupe.crew.live(100)
  await hasEnded(pid)
  assert.deepEqual(await troupe.report(deaf), RELEASED)
  assert.deepEqual(await troupe.report(patient), RELEASED)
  assert.equal(typeof (await resultOf(troupe, 'pid')), 'number')
})

test('the directory of an attempt that was stopped by force is removed, and with the crew its folder', async () => {
  const crew = await start()
  const troupe = new Troupe(crew)
  const job = troupe.begin('litter')
  const note = await eventually(() => troupe.notes.find(({ id }) => id === job.id))
  const dir = note.log?.[0]?.text ?? ''
  assert.deepEqual(readdirSync(dir), ['litter'])
  crew.stop(job.id, job.fence, { how: 'cancelled' })
  await troupe.report(job)
  await eventually(() => !existsSync(dirname(dir)))
  await troupe[Symbol.asyncDispose]()
  assert.equal(existsSync(dirname(dirname(dir))), false)
})

test('a job that was given to an executor which an ended one blocks is not blamed', async () => {
  await using troupe = await Troupe.start()
  const ghost = await troupe.report(troupe.begin('haunt'))
  assert(ghost.how === 'completed')
  const pid = Number(textOf(ghost.result))
  // Busy whenever one looks: the loop has begun.
  let busy = 0
  await eventually(() => (busy = stateOf(pid) === 'R' ? busy + 1 : 0) === 10)
  const victim = troupe.begin('echo', { limits: SHORT })
  assert.deepEqual(await troupe.report(victim), RELEASED)
  await hasEnded(pid)
})

test('an executor that was replaced ends although its app cannot be stopped', async (t) => {
  const stuck = join(folder, 'stuck')
  process.env['FIXTURE_STUCK_WHEN'] = stuck
  t.after(() => rmSync(stuck))
  await using troupe = await Troupe.start()
  writeFileSync(stuck, '')
  const report = await troupe.report(troupe.begin('stray', { input: '"after"' }))
  assert(report.how === 'completed')
  await hasEnded(Number(textOf(report.result)))
})

test('a crew whose folder was cleared away goes on', async () => {
  let scratch = ''
  await using troupe = await Troupe.start({ onCrew: (crew) => (scratch = crew.scratch) })
  const job = troupe.begin('hang')
  const pid = await troupe.pidOf(job)
  rmSync(scratch, { recursive: true })
  process.kill(pid, 'SIGKILL')
  await troupe.report(job)
  assert.notEqual(await resultOf(troupe, 'pid'), pid)
})

test('an executor that is killed while it starts is replaced, and the app is not blamed', async () => {
  let killed: number | undefined
  await using troupe = await Troupe.start({
    onCrew: ({ pids: [pid] }) => {
      if (killed !== undefined || pid === undefined) return
      killed = pid
      process.kill(pid, 'SIGKILL')
    },
  })
  assert.notEqual(killed, undefined)
  assert.notEqual(await resultOf(troupe, 'pid'), killed)
})

test('a handler that takes all memory has crashed, and the worker goes on', async (t) => {
  const { NODE_OPTIONS = '' } = process.env
  process.env['NODE_OPTIONS'] = '--max-old-space-size=48'
  t.after(() => (process.env['NODE_OPTIONS'] = NODE_OPTIONS))
  await using troupe = await Troupe.start()
  const report = await troupe.report(troupe.begin('hoard'))
  assert(report.how === 'crashed')
  assert.match(report.why, /SIGABRT|SIGTRAP|134/)
  assert.equal(typeof (await resultOf(troupe, 'pid')), 'number')
})

test('an executor that holds too much memory is replaced, and ends what it has', async () => {
  await using troupe = await Troupe.start({ maxMemoryMb: 1 })
  const job = troupe.begin('hang')
  const pid = await troupe.pidOf(job)
  await eventually(async () => (await resultOf(troupe, 'pid')) !== pid)
  troupe.crew.abort(job.id, job.fence, 'cancelled')
  assert.deepEqual(await troupe.report(job), { how: 'cancelled' })
  await hasEnded(pid)
})
