import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { childrenOf, Installation, until } from '../support/command.ts'

const Accepted = z.strictObject({ message: z.string(), task_id: z.uuid() })
const Task = z.object({
  task_id: z.uuid(),
  status: z.enum(['PENDING', 'STARTED', 'SUCCESS']),
  result: z.object({ url: z.string(), file: z.string() }).nullable(),
})

test('one command serves, works, and ends both when it is told to', async () => {
  await using here = new Installation()
  const started = here.start('start', '--port', '0')
  const { url } = await started.said('serving')
  await started.said('worker started')

  const accepted = await fetch(`${String(url)}/documents/42/pdf`, { method: 'POST' })
  assert.equal(accepted.status, 202)
  const { task_id: id, message } = Accepted.parse(await accepted.json())
  assert.equal(message, 'PDF generation started')

  const task = await until(async () => {
    const response = await fetch(`${String(url)}/documents/tasks/${id}`)
    const now = Task.parse(await response.json())
    if (now.status !== 'SUCCESS') assert.equal(now.result, null)
    return now.status === 'SUCCESS' ? now : undefined
  }, 'the PDF was not made')

  const file = await fetch(`${String(url)}${task.result?.url}`)
  assert.equal(file.status, 200)
  assert.equal(
    Buffer.from(await file.arrayBuffer())
      .subarray(0, 5)
      .toString(),
    '%PDF-',
  )

  const pids = childrenOf(started.pid).map((child) => child.pid)
  assert.equal(pids.length, 2)
  started.signal('SIGTERM')
  assert.equal(await started.exit(), 0)
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

test('what was enqueued from another terminal is done, and seen from there', async () => {
  await using here = new Installation({ ERRAND_APP: `${import.meta.dirname}/chores.app.ts` })
  await here.start('start', '--port', '0').said('worker started')
  assert.deepEqual(here.ask('enqueue', 'echo', '{"text":"hello"}', '--wait', '10s').code, 0)
  for (const look of ['info', 'jobs', 'queues', 'workers', 'verify', 'doctor', 'migrate']) {
    const { code, said } = here.ask(look)
    assert.equal(code, 0, look)
    assert.notEqual(said, undefined, look)
  }
  assert.equal(here.ask('job', '00000000-0000-4000-8000-000000000000').code, 3)
})
