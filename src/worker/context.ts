import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Millis, Span } from '../base/time.ts'
import type { Files } from '../files/contract.ts'
import type { CallOptions, FollowOptions } from '../job/child.ts'
import type {
  ArtifactOptions,
  Content,
  Context,
  Logger,
  Progress,
  Resources,
} from '../job/context.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError } from '../job/errors.ts'
import type { LogLevel, NewJob } from '../job/job.ts'
import type { RateLimit, Take } from '../job/rate.ts'
import { readText } from '../job/options.ts'
import type { NewArtifact } from '../job/outcome.ts'
import { findUndeclared, type References } from '../job/reference.ts'
import type { Given, Schema } from '../job/schema.ts'
import type { Keyring } from '../job/seal.ts'
import type { Answer, Note } from '../store/contract.ts'
import type { Holder, Task } from './crew.ts'
import { Leavings } from './leavings.ts'
import { Sayings } from './sayings.ts'
import { Steps } from './steps.ts'
import { Takes } from './takes.ts'
import { type Wait, type WaitOptions, Waits } from './waits.ts'

/** What an attempt needs from the process it runs in. */
export type Tools = {
  files: Files
  resources: Partial<Resources> | undefined
  /** The folder in which attempts have their directories. */
  scratch: string
  keys?: Keyring | undefined
  /** What is said of this attempt is sealed on its way. */
  isSealed?: boolean
  /** All that may be kept of what it says, where its data rests by reference. */
  references?: References | undefined
  /** The store's time, where it does not pass by itself: a test moves it by hand. */
  now?: () => Millis
  /** How long a file stays of which its handler does not say it. */
  keepFilesMs?: Millis | undefined
  note(note: Note): void
  /** The limits that its handlers may take from. */
  limits?: readonly RateLimit[]
  take(holder: Holder, ask: number, take: Take): void
  /** Sets an attempt aside that only waits; absent where nobody would run it again. */
  suspend?(job: Task, wait: Wait): void
}

/**
 * One attempt as its handler sees it. Members are made when they are first asked for: a short job that
 * uses none of them pays for none.
 */
export class Attempt implements Context {
  readonly attemptsMax: number
  readonly #job: Task
  readonly #tools: Tools
  #sayings: Sayings | undefined
  #leavings: Leavings | undefined
  #steps: Steps | undefined
  #waits: Waits | undefined
  #takes: Takes | undefined
  /** Unfinished calls that are no waits. */
  #calls = 0
  #controller: AbortController | undefined
  #aborted: Error | undefined
  #dir: string | undefined
  /** How far the store's time is ahead of a clock that only runs forward. */
  readonly #ahead: Millis

  constructor(job: Task, attemptsMax: number, tools: Tools, now = Date.now()) {
    this.attemptsMax = attemptsMax
    this.#job = job
    this.#tools = tools
    this.#ahead = now - performance.now()
  }

  get id() {
    return this.#job.id
  }
  get fence() {
    return this.#job.fence
  }
  get tenant() {
    return this.#job.tenant
  }
  get attempt() {
    return this.#job.failures + 1
  }
  get idempotencyKey() {
    return this.#job.id
  }
  get resources(): Resources {
    const { resources } = this.#tools
    if (resources === undefined)
      throw new ErrandError('INVALID_APP', {
        file: 'given',
        problem: 'has no start, so there are no resources',
      })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an app starts what its own handlers ask for
    return resources as Resources
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted) this.#controller.abort(this.#aborted)
    return this.#controller.signal
  }

  get dir(): string {
    return (this.#dir ??= mkdtempSync(join(this.#tools.scratch, 'errand-')))
  }

  get log(): Logger {
    const line = (level: LogLevel) => (text: string) => this.#sayingsOf().log(level, text)
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  }

  get progress() {
    return (progress: Progress) => this.#sayingsOf().progress(progress)
  }

  get step() {
    const { references } = this.#tools
    return <Value>(name: string, fn: (key: string) => Value | Promise<Value>) =>
      this.#during(this.#stepsOf().run(name, references ? within(references, name, fn) : fn))
  }

  get sleep() {
    return (name: string, span: Span) => this.#waitsOf().sleep(name, span)
  }

  get waitFor() {
    return <Of extends Schema>(signal: string, options?: WaitOptions<Of>) =>
      this.#waitsOf().waitFor(signal, options)
  }

  get warn() {
    return (code: string, text = '') => this.#sayingsOf().warn(code, text)
  }

  get call() {
    return <In extends Schema, Out extends Schema>(
      name: string,
      job: Definition<In, Out>,
      input: Given<In>,
      options?: CallOptions,
    ) => this.#waitsOf().call(name, job, input, options)
  }

  get take() {
    return (limit: string, n?: number) => this.#during(this.#takesOf().take(limit, n))
  }

  get enqueue() {
    return <In extends Schema>(
      name: string,
      job: Definition<In>,
      input: Given<In>,
      options?: FollowOptions,
    ) => {
      this.#stepsOf().use(`enqueue:${readText('name', name, { max: 100 })}`)
      return this.#during(this.#leavingsOf().enqueue(name, job, input, options))
    }
  }

  get artifact() {
    return (file: string, content: Content, options?: ArtifactOptions) =>
      this.#during(this.#leavingsOf().write(file, content, options))
  }

  get warned(): boolean {
    return this.#sayings?.warned ?? false
  }

  get artifacts(): readonly NewArtifact[] {
    return this.#leavings?.artifacts ?? NONE
  }

  get more(): readonly NewJob[] | undefined {
    return this.#leavings?.more
  }

  /** What became of a step that was noted. */
  noted(step: string, answer: Answer): void {
    this.#steps?.noted(step, answer)
  }

  /** Calls that were asked for under this number may be made. */
  passed(ask: number, since: Millis): void {
    this.#takes?.passed(ask, since)
  }

  abort(reason: Error): void {
    this.#aborted ??= reason
    this.#controller?.abort(this.#aborted)
  }

  /** Sends what is still unsaid and removes the attempt's directory. */
  end(): void {
    this.#sayings?.end()
    if (this.#dir !== undefined) removeQuietly(this.#dir)
  }

  #sayingsOf(): Sayings {
    const isMute = this.#tools.references !== undefined
    return (this.#sayings ??= new Sayings(this.#job, (note) => this.#tools.note(note), { isMute }))
  }

  #leavingsOf(): Leavings {
    return (this.#leavings ??= new Leavings(this.#job, this.#tools))
  }

  #stepsOf(): Steps {
    return (this.#steps ??= new Steps(this.#job, (note) => this.#tools.note(note)))
  }

  #takesOf(): Takes {
    const { limits = [] } = this.#tools
    const ask = (n: number, take: Take) => this.#tools.take(this.#job, n, take)
    return (this.#takes ??= new Takes({ limits, ask, signal: this.signal }))
  }

  #waitsOf(): Waits {
    return (this.#waits ??= new Waits({
      task: this.#job,
      steps: this.#stepsOf(),
      keys: this.#tools.keys,
      isSealed: this.#tools.isSealed ?? false,
      now: this.#tools.now ?? (() => this.#ahead + performance.now()),
      isBusy: () => this.#calls > 0 || this.#stepsOf().isRecording,
      suspend: this.#tools.suspend && ((wait) => this.#tools.suspend?.(this.#job, wait)),
    }))
  }

  /** While such a call goes on the attempt is not set aside. */
  async #during<Value>(call: Promise<Value>): Promise<Value> {
    this.#calls++
    try {
      return await call
    } finally {
      this.#calls--
      this.#waits?.check()
    }
  }
}

const NONE: readonly NewArtifact[] = []

/** A step that comes to more than references is refused before it is recorded. */
const within =
  <Value>(references: References, name: string, fn: (key: string) => Value | Promise<Value>) =>
  async (key: string): Promise<Value> => {
    const value = await fn(key)
    if (findUndeclared(value, references).length === 0) return value
    throw new ErrandError('STEP_REFUSED', { step: name, problem: UNDECLARED })
  }
const UNDECLARED = 'came to more than the declared references'

/** What a handler locked away stays behind: the job's outcome does not hang on it. */
function removeQuietly(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true })
  } catch {
    // The folder lies among temporary files, which the machine clears.
  }
}
