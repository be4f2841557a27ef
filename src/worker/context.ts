import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { failpoint } from '../base/failpoint.ts'
import { type Bytes, encodeJson, findUnfit } from '../base/json.ts'
import type { Millis, Span } from '../base/time.ts'
import { type CallOptions, type FollowOptions, prepareFollower } from '../job/child.ts'
import type { Definition } from '../job/define.ts'
import { ErrandError } from '../job/errors.ts'
import type {
  ArtifactOptions,
  Content,
  Context,
  Logger,
  Progress,
  Resources,
} from '../job/context.ts'
import type { JobId, LogLevel, LogLine, NewJob } from '../job/job.ts'
import { readSpan, readText } from '../job/options.ts'
import type { NewArtifact } from '../job/outcome.ts'
import type { Given, Schema } from '../job/schema.ts'
import type { Files } from '../files/contract.ts'
import type { Answer, Note } from '../store/contract.ts'
import type { Task } from './crew.ts'
import { Steps } from './steps.ts'
import { type Wait, type WaitOptions, Waits } from './waits.ts'

/** What an attempt needs from the process it runs in. */
export type Tools = {
  files: Files
  resources: Partial<Resources> | undefined
  /** The folder in which attempts have their directories. */
  scratch: string
  note(note: Note): void
  /** Sets an attempt aside that only waits; absent where nobody would run it again. */
  suspend?(job: Task, wait: Wait): void
}

const PROGRESS_EVERY_MS = 250
const LINES_MAX = 1000
const LINE_MAX = 8192
const MORE_MAX = 100
const ARTIFACT_BYTES_MAX = 1_073_741_824
const KEEP_MAX = '7d'
const KEEP_MAX_MS = 7 * 86_400_000

/**
 * One attempt as its handler sees it. Members are made when they are first asked for: a short job that
 * uses none of them pays for none.
 */
export class Attempt implements Context {
  warned = false
  readonly attemptsMax: number
  readonly #job: Task
  readonly #tools: Tools
  #artifacts: Map<string, NewArtifact> | undefined
  /** Jobs to be stored with its completion. */
  #more: NewJob[] | undefined
  #steps: Steps | undefined
  #waits: Waits | undefined
  /** Unfinished calls that are no waits. */
  #calls = 0
  #controller: AbortController | undefined
  #aborted: Error | undefined
  #dir: string | undefined
  #lines = 0
  #progress: Progress | undefined
  #progressAt: Millis = -PROGRESS_EVERY_MS
  #timer: NodeJS.Timeout | undefined

  readonly #now: () => Millis

  constructor(job: Task, attemptsMax: number, tools: Tools, now = Date.now()) {
    this.attemptsMax = attemptsMax
    this.#job = job
    this.#tools = tools
    const since = performance.now()
    this.#now = () => now + performance.now() - since
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
    const line = (level: LogLevel) => (text: string) => this.#log(level, text)
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  }

  get progress() {
    return (progress: Progress) => this.#setProgress(progress)
  }

  get step() {
    return <Value>(name: string, fn: (key: string) => Value | Promise<Value>) =>
      this.#during(this.#stepsOf().run(name, fn))
  }

  get sleep() {
    return (name: string, span: Span) => this.#waitsOf().sleep(name, span)
  }

  get waitFor() {
    return <Of extends Schema>(signal: string, options?: WaitOptions<Of>) =>
      this.#waitsOf().waitFor(signal, options)
  }

  get warn() {
    return (code: string, text = '') => this.#warn(code, text)
  }

  get call() {
    return <In extends Schema, Out extends Schema>(
      name: string,
      job: Definition<In, Out>,
      input: Given<In>,
      options?: CallOptions,
    ) => this.#waitsOf().call(name, job, input, options)
  }

  get enqueue() {
    return <In extends Schema>(
      name: string,
      job: Definition<In>,
      input: Given<In>,
      options?: FollowOptions,
    ) => this.#during(this.#leave(name, job, input, options))
  }

  get artifact() {
    return (file: string, content: Content, options?: ArtifactOptions) =>
      this.#during(this.#write(file, content, options))
  }

  /** The files written so far, the last of each name. */
  get more(): readonly NewJob[] | undefined {
    return this.#more
  }

  get artifacts(): readonly NewArtifact[] {
    return this.#artifacts === undefined ? [] : [...this.#artifacts.values()]
  }

  async #leave(
    name: string,
    definition: Definition,
    input: unknown,
    options?: FollowOptions,
  ): Promise<{ id: JobId }> {
    const { id, tenant } = this.#job
    this.#stepsOf().use(`enqueue:${readText('name', name, { max: 100 })}`)
    const job = await prepareFollower({ id, name, tenant }, definition, input, options)
    this.#more ??= []
    if (this.#more.push(job) > MORE_MAX)
      throw new ErrandError('STEP_REFUSED', {
        step: `enqueue:${name}`,
        problem: `is one more than the ${MORE_MAX} of a run`,
      })
    return { id: job.id }
  }

  #setProgress(progress: Progress): void {
    this.#progress = { ...progress }
    const waitMs = this.#progressAt + PROGRESS_EVERY_MS - performance.now()
    if (waitMs <= 0) this.#sendProgress()
    else this.#timer ??= setTimeout(() => this.#sendProgress(), waitMs)
  }

  #warn(code: string, text: string): void {
    this.warned = true
    this.#log('warn', text === '' ? code : `${code}: ${text}`)
  }

  async #write(
    file: string,
    content: Content,
    { type = 'application/octet-stream', keep = KEEP_MAX }: ArtifactOptions = {},
  ): Promise<void> {
    const { id, fence } = this.#job
    const told = {
      file,
      type: readText('type', type),
      keepMs: readSpan('keep', keep, { max: KEEP_MAX_MS }),
    }
    const written = await this.#tools.files.write(
      { id, fence, file },
      toStream(content),
      ARTIFACT_BYTES_MAX,
    )
    failpoint('artifact.written')
    this.#artifacts ??= new Map()
    this.#artifacts.set(file, { ...told, ...written })
  }

  /** What became of a step that was noted. */
  noted(step: string, answer: Answer): void {
    this.#steps?.noted(step, answer)
  }

  abort(reason: Error): void {
    this.#aborted ??= reason
    this.#controller?.abort(this.#aborted)
  }

  /** Sends what is still unsaid and removes the attempt's directory. */
  end(): void {
    clearTimeout(this.#timer)
    if (this.#progress) this.#sendProgress()
    if (this.#dir !== undefined) removeQuietly(this.#dir)
  }

  #stepsOf(): Steps {
    return (this.#steps ??= new Steps(this.#job, (note) => this.#tools.note(note)))
  }

  #waitsOf(): Waits {
    return (this.#waits ??= new Waits({
      task: this.#job,
      steps: this.#stepsOf(),
      now: this.#now,
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

  #log(level: LogLevel, text: unknown): void {
    if (++this.#lines > LINES_MAX) return
    const line: Omit<LogLine, 'fence'> = {
      at: Date.now(),
      level,
      text: String(text).replaceAll('\0', '').slice(0, LINE_MAX),
    }
    this.#tools.note({ id: this.#job.id, fence: this.#job.fence, log: [line] })
  }

  #sendProgress(): void {
    this.#timer = undefined
    this.#progressAt = performance.now()
    const progress = encodeQuietly(this.#progress)
    this.#progress = undefined
    if (progress) this.#tools.note({ id: this.#job.id, fence: this.#job.fence, progress })
  }
}

/** What a handler locked away stays behind: the job's outcome does not hang on it. */
function removeQuietly(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true })
  } catch {
    // The folder lies among temporary files, which the machine clears.
  }
}

/** Progress that cannot be stored is not worth a job: it is left out. */
function encodeQuietly(progress: Progress | undefined): Bytes | undefined {
  return findUnfit(progress) === undefined ? encodeJson(progress) : undefined
}

async function* toStream(content: Content): AsyncIterable<Uint8Array> {
  if (typeof content === 'string') yield Buffer.from(content)
  else if (content instanceof Uint8Array) yield content
  else yield* content
}
