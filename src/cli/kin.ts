import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Crew, isWord, type Ready, type Troubles, type Word } from './family.ts'
import { faultOf } from './fault.ts'
import { HOPELESS, type Management } from './manager.ts'
import { backOffMs } from './reach.ts'

export type KinName = 'serve' | 'worker'
export type KinOptions = Management & {
  onReady(ready: Ready): void
  /** It began to die as soon as it is born, or stopped doing so. */
  onHealth(): void
}

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
/** A child that lived this long starts with a fresh back-off when it dies. */
const STEADY_MS = 10_000
/** So many deaths in a row, none of them after a steady life, are a loop. */
const LOOP = 5
const KILL_AFTER_MS = 5000
/** Its event loop has not turned for this long: nothing it does will end by itself. */
const SILENT_S = 10
/** Before its first word it may load an app. */
const UNBORN_S = 60

/** One child process and its successors. */
export class Kin {
  readonly name: KinName
  isSick = false
  readonly #with: KinOptions
  #child: ChildProcess | undefined
  #isReady = false
  #worker: string | undefined
  #crew: Crew = { pids: [], scratch: '' }
  #silentS = 0
  #hasSpoken = false

  constructor(name: KinName, options: KinOptions) {
    this.name = name
    this.#with = options
  }

  /** The exit code of the last one: after a stop, or when another would do no better. */
  async keep(): Promise<number> {
    const { signal, log } = this.#with
    for (let deaths = 0; !signal.aborted; deaths++) {
      const began = performance.now()
      const steady = setTimeout(() => this.#setSick(false), STEADY_MS).unref()
      const code = await this.#live()
      clearTimeout(steady)
      const left = this.#mourn()
      if (signal.aborted || (!this.#isReady && HOPELESS.includes(code))) {
        await left
        return code
      }
      if (performance.now() - began > STEADY_MS) deaths = 0
      // At once the first time: its jobs wait for the next one.
      const delayMs = deaths === 0 ? 0 : backOffMs(deaths - 1)
      log.error({ child: this.name, code, delayMs }, 'a child ended and is started anew')
      if (deaths + 1 >= LOOP) this.#setSick(true)
      await sleep(delayMs, undefined, { signal }).catch(() => {})
    }
    return 0
  }

  tell(troubles: Troubles): void {
    // One that is just ending does not hear; that is no end of its own.
    if (this.#child?.connected) this.#child.send(troubles, undefined, {}, () => undefined)
  }

  async #live(): Promise<number> {
    const child = (this.#child = this.#spawn())
    // Counted in turns of our own event loop: while that stands still, nobody is silent.
    const listening = setInterval(() => this.#listen(child), 1000).unref()
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
    clearInterval(listening)
    signal.removeEventListener('abort', stop)
    process.removeListener('exit', end)
    killGroup(child.pid)
    // Asked before it could listen, it ended as cleanly as it began.
    return by === 'SIGTERM' ? 0 : Number(code ?? 1)
  }

  #spawn(): ChildProcess {
    this.#silentS = 0
    this.#hasSpoken = false
    // In a group of its own, or Ctrl-C would reach it twice: from the terminal and from here. The pipe
    // is its lifeline: it ends when we do.
    const child = spawn(process.execPath, ['--no-warnings', MAIN, this.name, '--managed'], {
      detached: true,
      env: this.#with.environment,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    })
    child.stdio[4]?.on('error', () => undefined)
    return child.on('message', (said) => {
      if (isWord(said)) this.#hear(said)
    })
  }

  #hear(said: Word): void {
    this.#silentS = 0
    this.#hasSpoken = true
    if ('beat' in said) return
    if ('crew' in said) return void (this.#crew = said.crew)
    this.#isReady = true
    if ('worker' in said) this.#worker = said.worker
    else {
      this.#with.onReady(said.ready)
      this.#with.onHealth()
    }
  }

  #listen(child: ChildProcess): void {
    if (++this.#silentS < (this.#hasSpoken ? SILENT_S : UNBORN_S)) return
    this.#with.log.error(
      { child: this.name, silentS: this.#silentS },
      'a child is stuck and is killed',
    )
    killGroup(child.pid)
  }

  /** Kills what has not ended well after its grace. */
  async #insist(child: ChildProcess, ended: AbortSignal): Promise<void> {
    const { graceMs } = this.#with
    const isLate = await sleep(graceMs + KILL_AFTER_MS, true, { signal: ended }).catch(() => false)
    if (isLate) killGroup(child.pid)
  }

  /** Its executors end before its jobs are given to others. */
  async #mourn(): Promise<void> {
    const { pids, scratch } = this.#crew
    this.#crew = { pids: [], scratch: '' }
    pids.forEach(killGroup)
    const worker = this.#worker
    this.#worker = undefined
    if (scratch !== '') await rm(scratch, { recursive: true, force: true }).catch(() => {})
    if (worker === undefined) return
    // Where this fails, its jobs wait for its lease to run out.
    await this.#with
      .retire(worker)
      .catch((error: unknown) => this.#with.log.warn(faultOf(error), 'not retired'))
  }

  #setSick(isSick: boolean): void {
    if (this.isSick === isSick) return
    this.isSick = isSick
    if (isSick) this.#with.log.error({ child: this.name }, 'a child dies as soon as it is started')
    this.#with.onHealth()
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
