import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../../src/base/id.ts'
import type { Command } from './command.ts'
import type { Ground } from './ground.ts'
import { workplace } from './place.ts'
import { Proxy } from './proxy.ts'
import type { Server } from './servers/server.ts'

/** How long whoever hands in a job may be left without an answer, and jobs without a worker after the return. */
const ANSWERED_WITHIN_MS = 5000
const RESUMED_WITHIN_MS = 5000
/** A machine with more to do answers later than it means to. */
const LEEWAY_MS = 2000
const CALLERS = 3
/** Lines of its log that an outage may cost a worker at once; then it is two in ten seconds. */
const LINES_MAX = 6

export type Scene = { server: Server; proxy: Proxy }
/** Breaks something, and says how to mend it. */
export type Fault = (scene: Scene) => Promise<() => Promise<unknown>> | (() => Promise<unknown>)

type Answer = { status: number; id: string | undefined; retryAfter: string | null; ms: number }
export type Told = Record<'accepted' | 'refused' | 'slowestMs' | 'resumedMs' | 'lines', number>

/** A server and a worker of Errand on a store behind a line that fails, started once for all that befalls them. */
export async function openSite(ground: Ground) {
  const server = ground.server ?? assert.fail('no server, no outage')
  const proxy = await Proxy.open(server.port)
  const url = ground.fresh('')
  const behind = url.replace(`:${server.port}`, `:${proxy.port}`)
  const long = { ERRAND_LEASE: '15s', ERRAND_RENEW: '2s', ERRAND_STORE: behind }
  const place = await workplace(long, url)
  const worker = place.here.start('worker')
  const serve = place.here.start('serve')
  const door = String((await serve.said('serving')).url)
  await worker.said('worker started')
  return {
    scene: { server, proxy },
    errand: place.errand,
    runner: place.runner,
    worker,
    door,
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}
export type Site = Awaited<ReturnType<typeof openSite>>

/**
 * Callers hand in jobs and one job runs while the store is away. Nobody is restarted; everything that was
 * accepted must have been done.
 */
export async function endure(site: Site, fault: Fault, lengthMs: number): Promise<Told> {
  const { scene, errand, worker, door } = site
  const running = await errand.enqueue('nap', { ms: lengthMs + 500 })
  const pid = await site.runner(running.id)
  const answers: Answer[] = []
  const over = new AbortController()
  const calling = Array.from({ length: CALLERS }, async () => {
    while (!over.signal.aborted) {
      answers.push(await submit(door))
      await sleep(50)
    }
  })
  const linesBefore = worker.lines.length
  const mend = await fault(scene)
  await sleep(lengthMs)
  await mend()
  const returnedAt = performance.now()
  const { id } = await errand.enqueue('echo', { text: 'back' })
  await errand.ended(id, 30_000)
  const resumedMs = performance.now() - returnedAt
  over.abort()
  await Promise.all(calling)

  const accepted = answers.flatMap(({ id, status }) => (status === 202 && id ? [id] : []))
  const told = {
    accepted: accepted.length,
    refused: answers.length - accepted.length,
    slowestMs: Math.round(Math.max(...answers.map(({ ms }) => ms))),
    resumedMs: Math.round(resumedMs),
    lines: worker.lines.length - linesBefore,
  }
  const what = JSON.stringify(told)
  for (const { status, retryAfter } of answers)
    assert(status === 202 || (status === 503 && retryAfter !== null), `a caller got ${status}`)
  for (const id of accepted) assert.equal((await errand.ended(id, 20_000)).state, 'completed')
  const { result, attempt } = await errand.ended(running.id, 30_000)
  // Beyond its lease it is stopped, and runs again.
  if (lengthMs < 5000) assert.deepEqual([result, attempt], [pid, 1], 'what ran did not survive')
  assert(told.slowestMs < ANSWERED_WITHIN_MS + LEEWAY_MS, `a caller waited: ${what}`)
  assert(told.resumedMs < RESUMED_WITHIN_MS + LEEWAY_MS, `work went on late: ${what}`)
  assert(told.lines < LINES_MAX + lengthMs / 5000, `a flood of lines: ${what}`)
  assert.deepEqual(await errand.verify(), [])
  return told
}

/** It was started once, and ends well. */
export async function endsWell(worker: Command): Promise<void> {
  assert.equal(worker.lines.filter(({ msg }) => msg === 'worker started').length, 1)
  worker.signal('SIGTERM')
  const giveUp = sleep(20_000, 'it goes on', { ref: false })
  assert.equal(await Promise.race([worker.exit(), giveUp]), 0)
}

async function submit(door: string): Promise<Answer> {
  const from = performance.now()
  const response = await fetch(`${door}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': newId() },
    body: JSON.stringify({ job: 'echo', input: { text: 'on' } }),
  })
  const { id }: { id?: string } = JSON.parse(await response.text())
  const retryAfter = response.headers.get('retry-after')
  return { status: response.status, id, retryAfter, ms: performance.now() - from }
}
