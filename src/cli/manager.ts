import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { isWord, type Ready } from './family.ts'
import { faultOf } from './fault.ts'
import type { Log } from './log.ts'
import { backOffMs } from './reach.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
const CHILDREN = ['serve', 'worker'] as const
type Name = (typeof CHILDREN)[number]

/** Usage, disk, configuration: a child that ends so before it was ready would end so again. */
const HOPELESS = [2, 74, 78]
/** A child that lived this long starts with a fresh back-off when it dies. */
const STEADY_MS = 60_000
const KILL_AFTER_MS = 5000

export type Management = {
  signal: AbortSignal
  log: Log
  graceMs: number
  /** What the flags said, as the children's environment. */
  environment: Readonly<Record<string, string | undefined>>
  /** Ends a dead worker in the store, so that nobody waits for its lease to run out. */
  retire(worker: string): Promise<void>
  onReady(ready: Ready): void
}

/** Keeps a server and a worker alive until told to stop; the exit code is 0 after a clean stop. */
export async function manage(management: Management): Promise<number> {
  const giveUp = new AbortController()
  const signal = AbortSignal.any([management.signal, giveUp.signal])
  let welcome = (ready: Ready) => {
    welcome = () => {}
    management.onReady(ready)
  }
  const codes = await Promise.all(
    CHILDREN.map(async (name) => {
      const child = new Child(name, { ...management, signal, onReady: (ready) => welcome(ready) })
      const code = await child.keep()
      giveUp.abort()
      return code
    }),
  )
  return (
    codes.find((code) => HOPELESS.includes(code)) ?? (codes.every((code) => code === 0) ? 0 : 1)
  )
}

/** One child process and its successors. */
class Child {
  readonly #name: Name
  readonly #with: Management
  #isReady = false
  #worker: string | undefined

  constructor(name: Name, management: Management) {
    this.#name = name
    this.#with = management
  }

  /** The exit code of the last one: after a stop, or when another would do no better. */
  async keep(): Promise<number> {
    const { signal, log } = this.#with
    for (let failures = 0; !signal.aborted; failures++) {
      const began = performance.now()
      const code = await this.#live()
      if (signal.aborted || (!this.#isReady && HOPELESS.includes(code))) return code
      if (performance.now() - began > STEADY_MS) failures = 0
      log.error(
        { child: this.#name, code, delayMs: backOffMs(failures) },
        'a child ended and is started anew',
      )
      await this.#retire()
      await sleep(backOffMs(failures), undefined, { signal }).catch(() => {})
    }
    return 0
  }

  async #live(): Promise<number> {
    const child = this.#spawn()
    const end = () => void child.kill('SIGTERM')
    const { signal } = this.#with
    const stopping = new AbortController()
    const stop = () => {
      end()
      void this.#insist(child, stopping.signal)
    }
    signal.addEventListener('abort', stop, { once: true })
    // A manager that ends at once, for a second signal or a bug, asks a last time.
    process.once('exit', end)
    const [code, by] = await once(child, 'exit').catch(() => [1])
    stopping.abort()
    signal.removeEventListener('abort', stop)
    process.removeListener('exit', end)
    // Asked before it could listen, it ended as cleanly as it began.
    return by === 'SIGTERM' ? 0 : Number(code ?? 1)
  }

  #spawn(): ChildProcess {
    // In a group of its own, or Ctrl-C would reach it twice: from the terminal and from here.
    const child = spawn(process.execPath, ['--no-warnings', MAIN, this.#name], {
      detached: true,
      env: this.#with.environment,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    return child.on('message', (said) => this.#hear(said))
  }

  #hear(said: unknown): void {
    if (!isWord(said)) return
    this.#isReady = true
    if ('worker' in said) this.#worker = said.worker
    else this.#with.onReady(said.ready)
  }

  /** Kills what has not ended well after its grace. */
  async #insist(child: ChildProcess, ended: AbortSignal): Promise<void> {
    const { graceMs } = this.#with
    const isLate = await sleep(graceMs + KILL_AFTER_MS, true, { signal: ended }).catch(() => false)
    if (isLate) child.kill('SIGKILL')
  }

  async #retire(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    if (worker === undefined) return
    // Where this fails, its jobs wait for its lease to run out.
    await this.#with
      .retire(worker)
      .catch((error: unknown) => this.#with.log.warn(faultOf(error), 'not retired'))
  }
}
