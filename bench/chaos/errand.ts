import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Errand, open } from 'errand'
import { jobs } from './app.ts'
import { endingsOf, type Ending } from './judge.ts'
import { KIND_NAMES } from './kinds.ts'
import { type Ground, openGround } from '../../test/support/ground.ts'
import { freePort, type Server } from '../../test/support/servers/server.ts'
import type { StoreName } from '../../test/support/stores.ts'
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

const DURABILITY: Record<StoreName, string> = {
  sqlite: 'full',
  redis: 'AOF always',
  postgres: 'synchronous_commit on',
}

/** Roots that die and are started again, and how many servers and workers stand below them. */
export type Layout = { about: string; servers: readonly string[]; others: readonly string[] }

/** Two managers with a server and a worker each, and a worker that nobody looks after. */
const FAMILIES: Layout = {
  about: '3 workers of 8 places in 1 process, 2 servers',
  servers: ['start', 'start'],
  others: ['worker'],
}

/** Errand's own processes on one of its stores. */
export class ErrandSystem implements System {
  readonly name = 'Errand'
  readonly kinds = KIND_NAMES
  readonly about
  readonly #arena: Arena
  readonly #layout: Layout
  readonly #store: StoreName
  readonly #env: Record<string, string>
  #ground: Ground | undefined
  #url = ''
  #roots: Root[] = []
  #ports: number[] = []
  #errand: Errand | undefined
  #restoring: Promise<unknown> | undefined

  constructor(arena: Arena, store: StoreName, layout = FAMILIES) {
    const { leaseMs, folder, ledgerFile } = (this.#arena = arena)
    this.#layout = layout
    this.#store = store
    this.about = {
      store,
      durability: DURABILITY[store],
      settings: `lease ${leaseMs} ms, ${layout.about}`,
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
    const { servers, others } = this.#layout
    this.#ground = await openGround(this.#store)
    this.#url = this.#ground.fresh(folder)
    this.#errand = await open(this.#url, { jobs })
    const root = (verb: string, env = {}) =>
      new Root(ERRAND, [verb], { ...this.#processEnv, ...env }, join(folder, 'log'))
    for (const verb of servers) {
      const port = await freePort()
      this.#ports.push(port)
      this.#roots.push(root(verb, { PORT: `${port}` }))
    }
    this.#roots.push(...others.map((verb) => root(verb)))
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

  /** As `submit`, from code: its key is the job's id. */
  async enqueue({ key, kind, input }: Submission): Promise<string> {
    const enqueued = await this.#errand?.enqueue(kind, input, { id: key })
    if (enqueued === undefined) throw new Error('nothing is open')
    return enqueued.id
  }

  async cancel(id: string): Promise<void> {
    const { status } = await this.#post(`/v1/jobs/${id}/cancel`, {}, {})
    if (status >= 500) throw new Error(`${status}`)
  }

  targets(fault: Fault): number[] {
    if (fault === 'store') return this.server ? [this.server.pid] : []
    const title = TITLES[fault]
    return below(this.#pids)
      .filter((one) => one.title === title)
      .map(({ pid }) => pid)
  }

  family(pid: number): number[] {
    return below([pid]).map((one) => one.pid)
  }

  /** The database, where there is one to kill. */
  get server(): Server | undefined {
    return this.#ground?.server
  }

  restart(): void {
    for (const root of this.#roots) root.restart()
    // While it comes up nothing answers; a failure to start is seen by all that fails after it.
    if (this.server?.isDown) this.restore().catch(() => undefined)
  }

  /** Resolves once the database that was killed answers again. */
  restore(): Promise<unknown> {
    this.#restoring ??= Promise.resolve(this.server?.start()).finally(
      () => (this.#restoring = undefined),
    )
    return this.#restoring
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
      env: { ...process.env, ...this.#processEnv },
    })
    return status === 0 ? [] : [`exit ${status}: ${stdout.slice(0, 500)}`]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#roots.map((root) => root.stop(10_000)))
    await this.#errand?.[Symbol.asyncDispose]()
    await this.#ground?.[Symbol.asyncDispose]()
  }

  get #processEnv(): Record<string, string> {
    return { ...this.#env, ERRAND_STORE: this.#url }
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
