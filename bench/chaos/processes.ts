import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { once } from 'node:events'

/** A process of the run: its pid is known, so nothing else is ever killed. */
export class Root {
  readonly #start: () => ChildProcess
  #child: ChildProcess

  constructor(file: string, args: readonly string[], env: Record<string, string>, log: string) {
    const out = openSync(log, 'a')
    this.#start = () =>
      spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', out, out] })
    this.#child = this.#start()
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get isDown(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  restart(): void {
    if (this.isDown) this.#child = this.#start()
  }

  async stop(ms: number): Promise<void> {
    if (this.isDown) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGCONT')
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), ms)
    await ended
    clearTimeout(late)
  }
}

export type Process = { pid: number; parent: number; title: string }

/** Every process below these, themselves included, as they stand now. */
export function below(roots: readonly number[]): Process[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
  const all = stdout.split('\n').flatMap((line) => {
    const [, pid, parent, title] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return title === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), title }]
  })
  const known = new Set(roots)
  // Parents stand before their children but for pids that wrapped around: twice is enough.
  for (let pass = 0; pass < 2; pass++)
    for (const { pid, parent } of all) if (known.has(parent)) known.add(pid)
  return all.filter(({ pid }) => known.has(pid))
}
