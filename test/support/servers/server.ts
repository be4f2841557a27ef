import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stateOf } from '../alive.ts'

const PATIENCE_MS = 30_000

/** Ends with the process that started it, killed or not: its standard input is a pipe that breaks then. */
const GUARD = `log=$1; shift; "$@" 0</dev/null >>"$log" 2>&1 & pid=$!; echo $pid; (cat >/dev/null; kill -9 $pid 2>/dev/null) <&3 & wait $pid`

/** A database server of our own: on a private port, in a folder of its own, killed by its recorded pid. */
export abstract class Server implements AsyncDisposable {
  readonly folder: string
  readonly port: number
  #guard: ChildProcess | undefined
  #pid = 0

  protected constructor(folder: string, port: number) {
    this.folder = folder
    this.port = port
  }

  abstract get url(): string
  protected abstract readonly command: readonly string[]
  protected abstract readonly options: SpawnOptions
  /** Throws until the server answers. */
  protected abstract greet(): Promise<void>

  /** What it has started, and what must die with it. */
  protected get helpers(): readonly number[] {
    return []
  }

  get pid(): number {
    return this.#pid
  }

  get isDown(): boolean {
    return this.#guard === undefined || this.#guard.exitCode !== null
  }

  /** Starts it, or starts it again on what it left. Resolves when it answers. */
  async start(): Promise<this> {
    const patience = performance.now() + PATIENCE_MS
    for (;;) {
      // What a killed one has left of itself may keep the next from starting for a moment.
      if (this.isDown) await this.#spawn()
      try {
        await this.greet()
        return this
      } catch (error) {
        if (performance.now() > patience) throw new Error(this.#lastWords, { cause: error })
        await sleep(20)
      }
    }
  }

  get #log(): string {
    return join(this.folder, 'server.log')
  }

  get #lastWords(): string {
    return `it does not answer:\n${readFileSync(this.#log, 'utf8').slice(-2000)}`
  }

  async #spawn(): Promise<void> {
    const guard = ['-c', `exec 3<&0; ${GUARD}`, 'guard', this.#log]
    this.#guard = spawn('sh', [...guard, ...this.command], {
      ...this.options,
      // Ctrl-C is for its owner, who may still need it to end well.
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const [line] = await once(this.#guard.stdout ?? this.#guard, 'data')
    this.#pid = Number(String(line))
  }

  /** As a power cut of its process: nothing is flushed, nobody is told. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT' = 'SIGKILL'): Promise<void> {
    if (this.#guard === undefined || this.isDown) return
    const ended = once(this.#guard, 'exit')
    // Held still first: a helper that it started meanwhile would outlive it.
    if (signal === 'SIGKILL') await halt(this.#pid)
    const dying = [this.#pid, ...(signal === 'SIGKILL' ? this.helpers : [])]
    for (const pid of dying) send(pid, signal)
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function halt(pid: number): Promise<void> {
  send(pid, 'SIGSTOP')
  while (!['T', 'Z', ''].includes(stateOf(pid))) await sleep(1)
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

export const freshFolder = (name: string): string => mkdtempSync(join(tmpdir(), `errand-${name}-`))

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new TypeError('no port')
  return address.port
}
