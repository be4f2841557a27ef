import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import { monotonic } from '../../src/base/time.ts'
import { Hold } from '../../src/job/control.ts'
import type { Context } from '../../src/job/context.ts'
import { defineJob } from '../../src/job/define.ts'
import { defineLimit, type RateLimit, type Take } from '../../src/job/rate.ts'
import { runInline } from '../../src/worker/alone.ts'
import { Takes } from '../../src/worker/takes.ts'
import { anything } from '../support/schema.ts'
import { Stage } from '../support/stage.ts'

test('a call that was let pass too long ago is not made, but asked for again with more time', async () => {
  const asked: Take[] = []
  const takes = new Takes({
    limits: [defineLimit('llm', { rate: '10/s' })],
    ask: (_, take) => asked.push(take),
    signal: new AbortController().signal,
  })
  let isMade = false
  const made = takes.take('llm').then(() => (isMade = true))
  // As after a pause of its process, or a slow reply of the store.
  takes.passed(1, monotonic() - 60)
  await setImmediate()
  assert.equal(isMade, false)
  takes.passed(2, monotonic())
  await made
  const [first = 0, second = 0] = asked.map(({ lateMs }) => lateMs)
  assert.equal(first, 100)
  assert(second >= 240 && second < 1000, `${second} ms`)
})

test('run in place calls under a limit wait for each other, and a hold closes it for the others', async () => {
  using stage = new Stage()
  const run = (limit: RateLimit, work: (context: Context) => unknown) => {
    const job = defineJob({ name: 'chore', input: anything(), run: (_, context) => work(context) })
    const { files } = stage
    return runInline(job.handler, {}, { files, resources: undefined, limits: [limit] })
  }
  const pair = defineLimit('alone.pair', { rate: '2/100ms' })
  const began = performance.now()
  const calls = Array.from({ length: 5 }, () =>
    run(pair, async ({ take }) => {
      await take('alone.pair')
      return performance.now()
    }),
  )
  const moments = (await Promise.all(calls)).map(Number)
  // Two at once, then after the span and what a call may be late, two more.
  assert(Number(moments[2]) - began >= 200, String(moments.map((at) => at - began)))
  assert(Number(moments[4]) - began >= 400, String(moments.map((at) => at - began)))

  const held = defineLimit('alone.held', { rate: '2/s' })
  const hold = () => {
    throw new Hold('alone.held', '80ms')
  }
  await assert.rejects(run(held, hold), Hold)
  const since = performance.now()
  await run(held, ({ take }) => take('alone.held'))
  assert(performance.now() - since >= 70)
  await assert.rejects(
    run(held, ({ take }) => take('pair')),
    { code: 'UNKNOWN_LIMIT' },
  )
})
