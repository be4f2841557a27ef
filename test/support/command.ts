import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const ERRAND = resolve(import.meta.dirname, '../../bin/errand')

/** Has a command write to one stream what it would write to two, so that a test sees both. */
export const MERGED = ['sh', '-c', 'exec "$0" "$@" 2>&1']

/** A line of a process's log. */
export type Line = { msg: string; [key: string]: unknown }

/** A folder with a store of its own, and `bin/errand` commands run on it as a person would. */
export class Installation implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'errand-system-'))
  readonly #running: Command[] = []
  readonly #env: Record<string, string>

  constructor(env: Record<string, string> = {}) {
    this.#env = { ERRAND_DATA: this.folder, PORT: '0', ...env }
  }

  /** Starts a command that goes on; it is ended with the installation. */
  start(...args: readonly string[]): Command {
    return this.startWith({}, ...args)
  }

  /** The same with more in its environment. */
  startWith(env: Record<string, string>, ...args: readonly string[]): Command {
    const command = new Command(args, { ...this.#env, ...env })
    this.#running.push(command)
    return command
  }

  /** The same inside another program. */
  startIn(wrapper: readonly string[], ...args: readonly string[]): Command {
    const command = new Command(args, this.#env, wrapper)
    this.#running.push(command)
    return command
  }

  /** Runs a command to its end and reads the JSON document it prints. */
  ask(...args: readonly string[]): { code: number | null; said: unknown } {
    const { status, stdout } = spawnSync(ERRAND, [...args, '--json'], {
      encoding: 'utf8',
      env: { ...process.env, ...this.#env },
    })
    return { code: status, said: stdout === '' ? undefined : JSON.parse(stdout) }
  }

  /** Runs a command to its end as a person sees it. */
  say(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    const env = { ...process.env, ...this.#env }
    return spawnSync(ERRAND, args, { encoding: 'utf8', env })
  }

  /** Ends all that goes on. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.map((command) => command.kill()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** One running command: its log lines, its end. */
export class Command {
  readonly lines: Line[] = []
  readonly text: string[] = []
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown[]>

  constructor(
    args: readonly string[],
    env: Record<string, string>,
    wrapper: readonly string[] = [],
  ) {
    const [program, ...before] = [...wrapper, ERRAND] as const
    this.#child = spawn(program, [...before, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#exited = once(this.#child, 'exit')
    if (this.#child.stdout === null) throw new TypeError('a pipe was asked for')
    createInterface(this.#child.stdout).on('line', (line) => this.#hear(line))
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new TypeError('it did not start')
    return this.#child.pid
  }

  /** The nth line with this message, once it has been said. */
  async said(msg: string, nth = 0): Promise<Line> {
    return until(() => this.lines.filter((line) => line.msg === msg)[nth], `${msg} was not said`)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async exit(): Promise<number | null> {
    const [code] = await this.#exited
    return typeof code === 'number' ? code : null
  }

  async kill(): Promise<void> {
    // One that was stopped does not hear.
    this.signal('SIGCONT')
    this.signal('SIGTERM')
    const late = setTimeout(() => this.signal('SIGKILL'), 10_000)
    await this.#exited
    clearTimeout(late)
  }

  #hear(line: string): void {
    if (!line.startsWith('{')) return void this.text.push(line)
    const said: Line = JSON.parse(line)
    this.lines.push(said)
  }
}

const PATIENCE_MS = 20_000
const LOOK_MS = 20

/** Looks again until there is something to see. */
export async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  complaint: string,
): Promise<T> {
  for (
    const from = performance.now();
    performance.now() - from < PATIENCE_MS;
    await sleep(LOOK_MS)
  ) {
    const seen = await look()
    if (seen !== undefined) return seen
  }
  throw new Error(complaint)
}

/** The processes a process started, by their command lines. */
export function childrenOf(pid: number): { pid: number; title: string }[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=,args=', '--ppid', `${pid}`], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, id = '', title = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? []
      return { pid: Number(id), title: title.trim() }
    })
}
