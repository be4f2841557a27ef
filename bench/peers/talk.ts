import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { commandOf, type System } from './systems.ts'

export type Counted = {
  jobs: number
  ms: number
  tailJobs: number
  tailMs: number
  latencies: number[]
}
export type Sent = { jobs: number; ms: number }

type Answer = Partial<Counted> & { id: number; error?: string }
type Waiting = { resolve: (answer: Answer) => void; reject: (error: Error) => void }

const ANSWERS = 3
const END_MS = 5000

/** A program of a system, producer or worker, and the requests it is asked. */
export class Program implements AsyncDisposable {
  static readonly #running = new Set<Program>()
  static #isInterrupted = false

  /** Ends all there are, and lets no more begin: whoever waits for an answer is told. */
  static interrupt(): void {
    Program.#isInterrupted = true
    for (const program of Program.#running) program.#child.kill('SIGTERM')
  }

  readonly #child: ChildProcess
  readonly #title: string
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  constructor(system: System, url: string, folder: string) {
    if (Program.#isInterrupted) throw new Error('interrupted')
    const [file, ...args] = commandOf(system)
    const { title, mode } = system
    this.#title = title
    this.#child = spawn(file, [...args, url, ...(mode === undefined ? [] : [mode])], {
      cwd: folder,
      env: { ...process.env, TMPDIR: folder, PYTHONDONTWRITEBYTECODE: '1', NODE_ENV: 'production' },
      stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
    })
    this.#child.on('error', (error) => this.#fail(error.message))
    this.#child.on('exit', (code, signal) => {
      Program.#running.delete(this)
      this.#fail(`ended with ${code ?? signal}`)
    })
    this.#child.stdin?.on('error', () => undefined)
    Program.#running.add(this)
    void this.#listen()
  }

  async fill(count: number): Promise<void> {
    await this.#ask('fill', { count })
  }

  async enqueue(callers: number, size: number, seconds: number): Promise<Sent> {
    return sentIn(await this.#ask('enqueue', { callers, size, seconds }))
  }

  async pace(count: number, perSecond: number): Promise<number> {
    return (await this.#ask('pace', { count, perSecond })).ms ?? Number.NaN
  }

  async work(concurrency: number, executors = false): Promise<void> {
    await this.#ask('work', { concurrency, executors })
  }

  /** Asked before the jobs begin: answered when so many have, or when time is up. */
  async count(count: number, seconds: number): Promise<Counted> {
    const {
      tailJobs = 0,
      tailMs = 0,
      latencies = [],
      ...rest
    } = await this.#ask('count', {
      count,
      seconds,
    })
    return { ...sentIn(rest), tailJobs, tailMs, latencies }
  }

  async close(): Promise<void> {
    await this.#ask('close', {})
  }

  #ask(verb: string, request: object): Promise<Answer> {
    const id = ++this.#last
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#waiting.set(id, { resolve, reject })
    if (this.#isDown) this.#fail('is not running')
    else this.#child.stdin?.write(`${JSON.stringify({ id, verb, ...request })}\n`)
    return promise
  }

  async #listen(): Promise<void> {
    const answers = this.#child.stdio[ANSWERS]
    if (!(answers instanceof Readable)) return
    for await (const line of createInterface({ input: answers })) {
      const answer: Answer = JSON.parse(line)
      const asked = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (answer.error === undefined) asked?.resolve(answer)
      else asked?.reject(new Error(`${this.#title}: ${answer.error}`))
    }
  }

  #fail(why: string): void {
    const error = new Error(Program.#isInterrupted ? 'interrupted' : `${this.#title} ${why}`)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  get #isDown(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** The end of its input tells it to go. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid === undefined || this.#isDown) return
    const ended = once(this.#child, 'exit')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), END_MS)
    this.#child.stdin?.end()
    await ended
    clearTimeout(late)
  }
}

const sentIn = ({ jobs = 0, ms = Number.NaN }: Partial<Sent>): Sent => ({ jobs, ms })
