import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { textOf } from '../support/jobs.ts'
import { fail, gist, type Run, Stage } from '../support/stage.ts'

const stage = new Stage()
after(() => stage[Symbol.dispose]())
const perform: Stage['perform'] = (...call) => stage.perform(...call)

test('progress is told at most four times a second, and its last word always', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { performance, notes } = stage.set((_, { progress }) => {
    for (let done = 1; done <= 1000; done++) {
      progress({ done, total: 1001 })
      t.mock.timers.tick(1)
    }
    progress({ done: 1001, total: 1001 })
  })
  await performance.run()
  assert(notes.length >= 4 && notes.length <= 6, `${notes.length} notes`)
  assert.equal(textOf(notes[0]?.progress), '{"done":1,"total":1001}')
  assert.equal(textOf(notes.at(-1)?.progress), '{"done":1001,"total":1001}')
})

test('progress that cannot be stored harms neither the job nor the process', async () => {
  const odd = { done: 2, sum: 1n }
  const report = await perform((_, { progress }) => {
    progress({ done: 1 })
    progress(odd)
  })
  assert.notEqual(report.how, 'crashed')
})

test('log lines are numbered off at a thousand, each of 8 KiB at most', async () => {
  const { performance, notes } = stage.set((_, { log }) => {
    for (let i = 0; i < 1500; i++) log.info('x'.repeat(10_000))
  })
  await performance.run()
  const lines = notes.flatMap((note) => note.log ?? [])
  assert.equal(lines.length, 1000)
  assert(lines.every(({ text }) => text.length === 8192))
})

test('each level of the log is told by its name', async () => {
  const { performance, notes } = stage.set((_, { log: { debug, info, warn, error } }) =>
    [debug, info, warn, error].forEach((say) => say('text')),
  )
  await performance.run()
  const lines = notes.flatMap((note) => note.log ?? [])
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['debug', 'info', 'warn', 'error'],
  )
})

test('a warning completes the job with errors and is written to its log', async () => {
  const { performance, notes } = stage.set((_, { warn }) => warn('PARTIAL', 'two of three'))
  const report = await performance.run()
  assert(report.how === 'completed' && report.withErrors)
  assert.equal(notes[0]?.log?.[0]?.text, 'PARTIAL: two of three')
})

const leave: Run = async (_, { artifact }) => {
  await artifact('a.txt', 'text', { type: 'text/plain', keep: '1d' })
  await artifact('b.bin', Buffer.of(1, 2, 3))
}

test('files travel with the report: length, digest, type and how long they stay', async () => {
  const { performance, job } = stage.set(leave, {}, { fence: 7 })
  const report = await performance.run()
  assert(report.how === 'completed')
  const shown = report.artifacts.map(({ file, type, bytes: size, keepMs }) => [
    file,
    type,
    size,
    keepMs,
  ])
  assert.deepEqual(shown, [
    ['a.txt', 'text/plain', 4, 86_400_000],
    ['b.bin', 'application/octet-stream', 3, 604_800_000],
  ])
  const content = await stage.files.read({ id: job.id, fence: 7, file: 'a.txt' })
  assert.equal(await new Response(content).text(), 'text')
})

test('files of an attempt that did not complete are removed', async () => {
  const fates: Run[] = [() => fail(new Error('broken')), () => ({ sum: 1n })]
  for (const fate of fates) {
    const both: Run = async (input, context) => (await leave(input, context), fate(input, context))
    const { performance, job } = stage.set(both)
    assert.equal((await performance.run()).how, 'failed')
    assert.deepEqual(await readdir(join(stage.folder, job.id.slice(-2), job.id)), [])
  }
})

test('a file with an option that is refused is not left behind', async () => {
  const run: Run = (_, { artifact }) => artifact('a.txt', 'text', { type: '' })
  const { performance, job } = stage.set(run)
  assert.equal(gist(await performance.run())[0], 'error')
  const place = { id: job.id, fence: job.fence, file: 'a.txt' }
  await assert.rejects(stage.files.read(place), { code: 'ARTIFACT_NOT_FOUND' })
})

test('an attempt has a directory of its own, and only while it runs', async () => {
  let dir = ''
  await perform(async (_, context) => {
    dir = context.dir
    assert.equal(context.dir, dir)
    await writeFile(join(dir, 'draft'), 'x')
  })
  assert.notEqual(dir, '')
  assert.equal(existsSync(dir), false)
})

test('a handler knows its job: ids, attempt, fence and tenant', async () => {
  const known: unknown[] = []
  const { performance, job } = stage.set(
    (_, { id, attempt, attemptsMax, fence, tenant, idempotencyKey }) =>
      known.push(id, attempt, attemptsMax, fence, tenant, idempotencyKey),
    {},
    { failures: 2, fence: 9, tenant: 'acme' },
  )
  await performance.run()
  assert.deepEqual(known, [job.id, 3, 4, 9, 'acme', job.id])
})

test('who asks for resources where there are none is told so', async () => {
  const report = await perform((_, { resources }) => resources)
  assert.match(String(gist(report)[2]), /has no start/)
})
