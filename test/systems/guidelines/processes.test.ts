// oxlint-disable-next-line no-unassigned-import -- it must be read before the system's settings are
import './brisk.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guidelineChecklist } from '../../../systems/guidelines/contract.ts'
import { childrenOf, type Command, Installation, until } from '../../support/command.ts'
import { onEachStore, SEAL_KEYS, type System } from '../stage.ts'
import { Event, openLlm, TEXT } from './setup.ts'

const APP = 'systems/guidelines/app.ts'
const RATE = { calls: 60, spanMs: 3000 }
/** From its permit to the stand-in a call is under way for longer at one time than at another. */
const WAY_MS = 250

/** Real workers on the store of a system. */
function installOn({ url }: System, llm: { url: string }) {
  const here = new Installation({
    ERRAND_APP: APP,
    ERRAND_STORE: url,
    ERRAND_SEAL_KEYS: SEAL_KEYS,
    ERRAND_LEASE: '2s',
    ERRAND_RENEW: '500ms',
    ERRAND_SWEEP: '250ms',
    ERRAND_PROCESSES: '1',
    GUIDELINES_LLM_URL: llm.url,
  })
  return {
    here,
    worker: async (concurrency = 1) => {
      const worker = here.start('worker', '--concurrency', `${concurrency}`)
      await worker.said('worker started')
      return worker
    },
    [Symbol.asyncDispose]: () => here[Symbol.asyncDispose](),
  }
}

const executorOf = (worker: Command) =>
  until(
    () => childrenOf(worker.pid).find(({ title }) => title.includes('executor'))?.pid,
    'there is no executor',
  )

async function submit(system: System) {
  const answer = await system.post('/jobs', { guidelines: TEXT })
  return Event.parse(await answer.json()).event_id
}

async function ended(system: System, id: string) {
  await system.errand.ended(id, 20_000)
  return Event.parse(await system.json(`/jobs/${id}`))
}

onEachStore((open, name) => {
  test('an executor and a worker are killed in the second step: the event is COMPLETED, and each step billed once', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await using at = installOn(system, llm)
    const worker = await at.worker()
    const calledTo = (count: number) =>
      until(async () => (await llm.calls())[count - 1], `the LLM was not called ${count} times`)

    await llm.script({ path: '/v1', skip: 1, times: 1, delayMs: 1000 })
    const first = await submit(system)
    await calledTo(2)
    process.kill(await executorOf(worker), 'SIGKILL')
    const { status, result } = await ended(system, first)
    assert.equal(status, 'COMPLETED')
    assert.match(result?.summary ?? '', /wash/)
    assert.deepEqual([(await llm.calls()).length, llm.steps()], [3, ['summarise', 'checklist']])

    await llm.script({ path: '/v1', skip: 1, times: 1, delayMs: 1000 })
    const second = await submit(system)
    await calledTo(5)
    worker.signal('SIGKILL')
    await worker.exit()
    await at.worker()
    assert.equal((await ended(system, second)).status, 'COMPLETED')
    assert.equal((await llm.calls()).length, 6)
    assert.deepEqual(llm.steps(), ['summarise', 'checklist', 'summarise', 'checklist'])
    assert.deepEqual(await system.errand.verify(), [])
  })

  test('a call that hangs ends at the soft limit, a process that does not move at the hard one: both once, for lack of time', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await using at = installOn(system, llm)
    await llm.script({ path: '/v1', times: 2, delayMs: 15_000 })
    const [one] = [await at.worker(), await submit(system)]
    const hanging = (
      await until(
        async () => (await system.errand.list({ state: 'running' }, 1)).jobs[0],
        'none runs',
      )
    ).id
    const two = await at.worker()
    const blocked = await submit(system)
    await until(async () => (await llm.calls())[1], 'the second one was not called')
    process.kill(await executorOf(two), 'SIGSTOP')
    for (const id of [hanging, blocked]) {
      const { status, error, retry_count: retries } = await ended(system, id)
      assert.deepEqual([status, error?.message, retries], ['FAILED', 'Processing timeout', 0])
    }
    assert.equal((await llm.calls()).length, 2)
    assert.ok(await executorOf(one))
    const after = await submit(system)
    assert.equal((await ended(system, after)).status, 'COMPLETED', 'they work on')
    assert.deepEqual(await system.errand.verify(), [])
  })

  test('three workers together never call the LLM more often than they may', async () => {
    await using llm = await openLlm()
    await using system = await open(() => llm.app())
    await using at = installOn(system, llm)
    const inputs = Array.from({ length: 45 }, () => ({ guidelines: TEXT }))
    const jobs = await system.errand.enqueueMany(guidelineChecklist, inputs)
    await Promise.all([1, 2, 3].map(() => at.worker(10)))
    for (const { id } of jobs) assert.equal((await ended(system, id)).status, 'COMPLETED')
    const times = (await llm.calls()).map(({ at: when }) => Date.parse(when))
    assert.equal(times.length, 90)
    const spans = times.slice(RATE.calls).map((time, i) => time - (times[i] ?? 0))
    assert.ok(Math.min(...spans) >= RATE.spanMs - WAY_MS, `${Math.min(...spans)} ms on ${name}`)
  })
})
