import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Errand, open } from 'errand'
import { jobs } from './app.ts'
import { endingsOf, type Ending } from './judge.ts'
import { KIND_NAMES } from './kinds.ts'
import { freePort } from '../../test/support/servers/server.ts'
import { below, Root } from './processes.ts'
import type { Arena, Fault, Submission, System } from './system.ts'

const ERRAND = resolve(import.meta.dirname, '../../bin/errand')
const TITLES: Partial<Record<Fault, string>> = {
  executor: 'errand executor',
  worker: 'errand worker',
  freeze: 'errand worker',
  sigterm: 'errand worker',
  manager: 'errand manager',
  api: 'errand serve',
}

/** Two managers with a server and a worker each, and a worker that nobody looks after. */
export class ErrandSystem implements System {
  readonly name = 'Errand'
  readonly kinds = KIND_NAMES
  readonly about
  readonly #arena: Arena
  readonly #env: Record<string, string>
  #roots: Root[] = []
  #ports: number[] = []
  #errand: Errand | undefined

  constructor(arena: Arena) {
    const { leaseMs, folder, ledgerFile } = (this.#arena = arena)
    this.about = {
      store: 'sqlite',
      durability: 'full',
      settings: `lease ${leaseMs} ms, 3 workers of 8 places in 1 process, 2 servers`,
    }
    this.#env = {
      ERRAND_DATA: folder,
      ERRAND_APP: join(import.meta.dirname, 'app.ts'),
      ERRAND_LEASE: `${leaseMs}ms`,
      ERRAND_RENEW: `${Math.round(leaseMs / 4)}ms`,
      ERRAND_SWEEP: `${Math.round(leaseMs / 8)}ms`,
      ERRAND_GRACE: '2s',
      ERRAND_CONCURRENCY: '8',
      ERRAND_PROCESSES: '1',
      ERRAND_LOG_LEVEL: 'warn',
      CHAOS_LEDGER: ledgerFile,
      CHAOS_LEASE_MS: `${leaseMs}`,
    }
  }

  async start(): Promise<void> {
    const { folder } = this.#arena
    this.#errand = await open(`sqlite:${folder}/errand.db`, { jobs })
    this.#ports = [await freePort(), await freePort()]
    const root = (args: string[], env = {}) =>
      new Root(ERRAND, args, { ...this.#env, ...env }, join(folder, 'log'))
    this.#roots = [
      ...this.#ports.map((port) => root(['start'], { PORT: `${port}` })),
      root(['worker']),
    ]
    for (const port of this.#ports) await this.#answers(port)
  }

  async submit({ key, kind, input, unique }: Submission): Promise<string> {
    const delay = kind === 'delayed' ? { delay: 500 } : {}
    const body = { job: kind, input, ...(unique !== undefined && { unique }), ...delay }
    const answer = await this.#post('/v1/jobs', body, { 'idempotency-key': key })
    const text = await answer.text()
    const { id }: { id?: string } = JSON.parse(text)
    if (answer.status === 202 && id !== undefined) return id
    throw new Error(`${answer.status} ${text}`)
  }

  async cancel(id: string): Promise<void> {
    const { status } = await this.#post(`/v1/jobs/${id}/cancel`, {}, {})
    if (status >= 500) throw new Error(`${status}`)
  }

  targets(fault: Fault): number[] {
    const title = TITLES[fault]
    return below(this.#pids)
      .filter((one) => one.title === title)
      .map(({ pid }) => pid)
  }

  family(pid: number): number[] {
    return below([pid]).map((one) => one.pid)
  }

  restart(): void {
    for (const root of this.#roots) root.restart()
  }

  async live(): Promise<number> {
    const queues = (await this.#errand?.queues()) ?? []
    return queues.reduce(
      (sum, { scheduled, ready, running, waiting }) => sum + scheduled + ready + running + waiting,
      0,
    )
  }

  endings(): Promise<Map<string, Ending>> {
    return this.#errand ? endingsOf(this.#errand) : Promise.resolve(new Map())
  }

  async verify(): Promise<string[]> {
    const { status, stdout } = spawnSync(ERRAND, ['verify', '--json'], {
      encoding: 'utf8',
      env: { ...process.env, ...this.#env },
    })
    return status === 0 ? [] : [`exit ${status}: ${stdout.slice(0, 500)}`]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#roots.map((root) => root.stop(10_000)))
    await this.#errand?.[Symbol.asyncDispose]()
  }

  get #pids(): number[] {
    return this.#roots.map(({ pid }) => pid)
  }

  async #answers(port: number): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const isUp = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
      if (isUp) return
      await sleep(50)
    }
    throw new Error('the server does not answer')
  }

  #post(path: string, body: object, headers: Record<string, string>): Promise<Response> {
    const port = this.#ports[Math.floor(Math.random() * this.#ports.length)]
    return fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    })
  }
}
