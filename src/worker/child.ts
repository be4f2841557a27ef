import { monotonic, type Millis } from '../base/time.ts'
import { ErrandError } from '../job/errors.ts'
import type { Claimed, Fence, JobId } from '../job/job.ts'
import type { Report } from '../job/outcome.ts'
import type { Answer } from '../store/contract.ts'
import {
  type Abort,
  DEAF,
  type Ear,
  type ExecutorState,
  hardTimeout,
  type Holder,
  type Limits,
  STATE_EVERY_MS,
} from './crew.ts'
import { type Frame, Frames } from './frames.ts'
import { Group } from './group.ts'
import { Lifeline } from './lifeline.ts'
import { type Order, readNote, readReport, runFrame, type Word } from './messages.ts'
import { type Placed, Places } from './places.ts'

export type ChildOptions = {
  /** The file an executor runs, and what it is told: which app, where files lie. */
  entry: string
  args: readonly string[]
}

/** What a crew does about an executor. */
export type Keeper = {
  ended(): void
  /** It has done a job, or told how it is. */
  reported(): void
  /** An error that no job can answer for came up in it: nobody knows in which state it is. */
  worn(): void
  /** This job kept others from running, or may have: it had better run alone. */
  suspect(job: Claimed): void
  /** Somebody has to look at its time limits then. */
  watchBy(at: Millis): void
}

/** The names of the jobs it has handlers for, what its app plans, and a digest of what that is set to. */
export type Manifest = Omit<Extract<Word, { say: 'manifest' }>, 'say'>

/** Why a process was killed: because of one of its jobs, or of none. */
type Verdict = { id?: JobId; report?: Report }

/** How long an executor may take to load and start its app. */
const START_MS = 60_000
/** How long an idle executor may take to stop what its app started. */
const STOP_MS = 5000

/** One executor as its foreman sees it, and the jobs it holds. */
export class Child {
  /** What it says of itself once it has started. @throws ErrandError INVALID_APP */
  readonly ready: Promise<Manifest>
  readonly bornAt = performance.now()
  /** How many handlers it runs at once. */
  readonly share: number
  done = 0
  isClosing = false
  readonly #group: Group
  readonly #frames: Frames<Order, Word>
  readonly #lifeline: Lifeline
  readonly #places: Places
  readonly #keeper: Keeper
  #ear: Ear = DEAF
  /** The moment that its executor was told last. */
  #now: Millis = 0
  #isReady = false
  #heardAt: Millis = 0
  #state: ExecutorState = { memoryMb: 0, lateMs: 0, cpu: 0 }
  #isOver = false
  #isJudged = false
  #verdict: Verdict | undefined
  #until: Millis = Infinity

  constructor({ entry, args }: ChildOptions, share: number, scratch: string, keeper: Keeper) {
    this.share = share
    this.#keeper = keeper
    this.#places = new Places(share)
    this.#group = new Group(entry, [`${share}`, scratch, ...args])
    this.#lifeline = new Lifeline(this.#group.lifeline)
    const { promise, resolve, reject } = Promise.withResolvers<Manifest>()
    this.ready = promise
    const refuse = (problem: string) =>
      reject(new ErrandError('INVALID_APP', { file: args[0] ?? entry, problem }))
    this.#frames = new Frames<Order, Word>(this.#group.channel, (frame) =>
      this.#hear(frame, resolve, refuse),
    )
    void this.#group.ended.then((why) => this.#end(why, refuse, reject))
    const late = setTimeout(() => this.kill({}), START_MS).unref()
    void promise.catch(() => undefined).finally(() => clearTimeout(late))
  }

  get pid(): number | undefined {
    return this.#group.pid
  }

  get isOpen(): boolean {
    return this.#isReady && !this.#isOver && !this.isClosing && this.#verdict === undefined
  }

  /** What it said of itself last; one that is silent is at least that late. */
  get state(): ExecutorState {
    const silentMs = performance.now() - this.#heardAt - STATE_EVERY_MS
    return this.#isReady
      ? { ...this.#state, lateMs: Math.max(this.#state.lateMs, silentMs) }
      : this.#state
  }

  /** Its event loop was late by more than this when it said so last, or is late with saying so. */
  isLateBy(ms: Millis): boolean {
    return this.state.lateMs > ms
  }

  get held(): number {
    return this.#places.size
  }

  listen(ear: Ear): void {
    this.#ear = ear
  }

  begin(job: Claimed, limits: Limits): void {
    this.#keeper.watchBy(this.#places.add(job, limits))
    // Of one claim all have the same: it is said once.
    if (limits.now !== this.#now) this.#frames.say({ say: 'time', now: limits.now })
    this.#now = limits.now
    const { message, bytes } = runFrame(job, limits)
    this.#frames.say(message, bytes)
  }

  abort(id: JobId, fence: Fence, why: Abort): void {
    if (this.#holds(id, fence)) this.#frames.say({ say: 'abort', id, fence, why })
  }

  noted(id: JobId, fence: Fence, step: string, answer: Answer): void {
    if (this.#holds(id, fence)) this.#frames.say({ say: 'noted', id, fence, step, answer })
  }

  passed({ id, fence }: Holder, ask: number, since: Millis): void {
    if (this.#holds(id, fence)) this.#frames.say({ say: 'passed', id, fence, ask, since })
  }

  recall(): void {
    this.#frames.say({ say: 'recall' })
  }

  /** It may live until this moment of the monotonic clock; past it, what ends it is no crash. */
  live(until: Millis): void {
    this.#until = until
    this.#lifeline.live(until)
  }

  /** Takes no more jobs, and ends when those it has are done. */
  close(): void {
    this.isClosing = true
    this.#stopWhenIdle()
  }

  /** Ends in good order once it is idle, or by force when that takes long. */
  async stop(): Promise<void> {
    this.close()
    if (!this.#isReady) this.kill({})
    this.#endSoon(STOP_MS)
    await this.#group.ended
  }

  /** Kills it because of this job. */
  stopJob(id: JobId, fence: Fence, report: Report): void {
    if (this.#holds(id, fence)) this.kill({ id, report })
  }

  /** What becomes of its jobs is told once the process is gone: nobody else may run them before. */
  kill(verdict: Verdict): void {
    this.#verdict ??= verdict
    this.#group.kill()
  }

  /** Looks after time limits. @returns when to look again */
  watch(now: Millis): Millis {
    if (this.#isJudged || this.#verdict !== undefined) return Infinity
    if (this.#places.stalled(now)) this.recall()
    const overdue = this.#places.overdue(now)
    if (overdue === undefined) return this.#places.next()
    void this.#judge(overdue)
    return Infinity
  }

  /**
   * A job is past its hard limit. Where the event loop turns, it was told to stop and did not. Where it
   * does not, the job that blocks it is to blame, and nobody else had a chance to stop.
   */
  async #judge(overdue: Placed): Promise<void> {
    this.#isJudged = true
    const { isFree, blocker } = await this.#lifeline.who()
    this.#isJudged = false
    if (!this.#places.has(overdue)) return this.#keeper.watchBy(performance.now())
    if (!isFree) for (const { job } of this.#places.all()) this.#keeper.suspect(job)
    // What an ended job left running may block the loop, too: then nobody here is to blame.
    const guilty = blocker === undefined ? overdue : this.#places.get(blocker)
    const isItsTime = guilty && guilty.since + guilty.limits.hardMs <= performance.now()
    this.kill(isItsTime ? { id: guilty.job.id, report: hardTimeout() } : {})
  }

  #holds(id: JobId, fence: Fence): boolean {
    return this.#places.get(id)?.job.fence === fence
  }

  #hear(
    { message, bytes }: Frame<Word>,
    resolve: (manifest: Manifest) => void,
    refuse: (problem: string) => void,
  ): void {
    switch (message.say) {
      case 'manifest':
        this.#isReady = true
        this.#heardAt = performance.now()
        resolve(message)
        return this.#ear.ring()
      case 'broken':
        refuse(`cannot be started: ${message.text}`)
        return this.kill({})
      case 'state':
        this.#state = message.state
        this.#heardAt = performance.now()
        return this.#keeper.reported()
      case 'worn':
        return this.#keeper.worn()
      case 'note':
        return this.#ear.note(readNote(message, bytes))
      case 'take':
        return this.#ear.take(message, message.ask, message.take)
      case 'report':
        return this.#report(message, bytes)
    }
  }

  #report(word: Extract<Word, { say: 'report' }>, bytes: Frame<Word>['bytes']): void {
    const { id, fence, ranMs } = word
    const placed = this.#holds(id, fence) ? this.#places.remove(id) : undefined
    if (placed === undefined) return
    this.done++
    this.#ear.report(placed.job, readReport(word, bytes), ranMs)
    this.#keeper.reported()
    this.#stopWhenIdle()
  }

  /** An app whose own `stop` never ends must not keep an old executor for ever. */
  #stopWhenIdle(): void {
    if (!this.isClosing || this.held > 0) return
    this.#frames.say({ say: 'stop' })
    this.#endSoon(STOP_MS)
  }

  #endSoon(ms: Millis): void {
    const late = setTimeout(() => this.kill({}), ms).unref()
    void this.#group.ended.finally(() => clearTimeout(late))
  }

  #end(why: string, refuse: (problem: string) => void, reject: (error: Error) => void): void {
    // Killed before it could say anything: that is no fault of the app.
    if (why.startsWith('SIG')) reject(new Error(`an executor was killed while it started: ${why}`))
    else refuse(`ended while it started: ${why}`)
    this.#isOver = true
    const now = performance.now()
    for (const placed of this.#places.clear()) {
      this.#ear.cutOff(placed.job)
      this.#ear.report(placed.job, this.#blame(placed, why), placed.begun ? now - placed.since : 0)
    }
    this.#keeper.ended()
  }

  /** Who was killed for a reason, or past its time, does not answer for its neighbours. */
  #blame({ job, begun }: Placed, why: string): Report {
    const { id, report } = this.#verdict ?? {}
    if (report && id === job.id) return report
    const { leftBy } = this.#lifeline
    const isSuspect = leftBy === undefined ? begun : leftBy === job.id
    const isOurs = this.#verdict !== undefined || monotonic() >= this.#until
    if (isOurs || !isSuspect) return { how: 'released', begun: true }
    return { how: 'crashed', why: leftBy === undefined ? why : `its handler ended it, ${why}` }
  }
}
