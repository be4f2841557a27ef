import { decodeJson, encodeJson, findUnfit } from '../base/json.ts'
import { compress } from '../base/zstd.ts'
import { type Millis, TIMER_MAX_MS } from '../base/time.ts'
import { ChildFailed, FatalError, Hold, RetryAfter, SignalTimeout } from '../job/control.ts'
import type { Handler } from '../job/define.ts'
import { ErrandError, hasCode } from '../job/errors.ts'
import { encodeFailure, encodeKind, encodeThrown } from '../job/failure.ts'
import { readEnded } from '../job/hooks.ts'
import { limitNamed } from '../job/rate.ts'
import type { Report } from '../job/outcome.ts'
import { findUndeclared } from '../job/reference.ts'
import { type Schema, validate } from '../job/schema.ts'
import type { Answer } from '../store/contract.ts'
import { Attempt, type Tools } from './context.ts'
import type { Abort, Limits, Task } from './crew.ts'
import type { Wait } from './waits.ts'

const RESULT_BYTES_MAX = 262_144

/** One attempt at one job: parse, run, encode. Whatever happens becomes a report. */
export class Performance {
  readonly #handler: Handler
  readonly #job: Task
  readonly #softMs: Millis
  readonly #tools: Tools
  readonly #attempt: Attempt
  #timer: NodeJS.Timeout | undefined
  #stopped: Abort | 'timeout' | undefined

  constructor(handler: Handler, job: Task, { softMs, attemptsMax, now }: Limits, tools: Tools) {
    this.#handler = handler
    this.#job = job
    this.#softMs = Math.min(softMs, TIMER_MAX_MS)
    this.#tools = tools
    const { keepFilesMs } = handler.definition.policy
    const own = keepFilesMs === undefined ? tools : { ...tools, keepFilesMs }
    this.#attempt = new Attempt(job, attemptsMax, own, now)
  }

  async run(): Promise<Report> {
    let report: Report
    try {
      const { definition } = this.#handler
      const parsed = validate(definition.input, readInput(this.#job), definition.name)
      // An `await`, and a timer for it, cost a short job more than its work does.
      const input = parsed instanceof Promise ? await this.#within(parsed) : parsed
      const returned = this.#handler.run(input, this.#attempt)
      report = await this.#complete(isThenable(returned) ? await this.#within(returned) : returned)
    } catch (error) {
      report = this.#fail(error)
    }
    clearTimeout(this.#timer)
    this.#attempt.end()
    const final = this.#stopped === undefined ? report : this.#whenStopped(this.#stopped, report)
    if (final.how !== 'completed' && this.#attempt.artifacts.length > 0) await this.#removeFiles()
    return final
  }

  /** Ends it with an error that came past the handler; what the handler still does counts for nothing. */
  giveUp(error: unknown): Report {
    const stopped = this.#stopped
    const report = this.#fail(error)
    this.letGo()
    return stopped === undefined ? report : this.#whenStopped(stopped, report)
  }

  /** Ends it for now: all that its handler still does is wait. */
  setAside(wait: Wait): Report {
    if (this.#attempt.artifacts.length === 0) {
      const stopped = this.#stopped
      this.letGo()
      const report: Report = { how: 'suspended', ...wait }
      return stopped === undefined ? report : this.#whenStopped(stopped, report)
    }
    // Its files go with this run, and the next may not write them again.
    void this.#removeFiles()
    const problem = 'begins after files were written in this run; write them after the last wait'
    return this.giveUp(new ErrandError('STEP_REFUSED', { step: wait.for, problem }))
  }

  /** Nobody waits for it any more, whatever the handler still does. */
  letGo(): void {
    this.abort('released')
    clearTimeout(this.#timer)
    this.#attempt.end()
  }

  noted(step: string, answer: Answer): void {
    this.#attempt.noted(step, answer)
  }

  passed(ask: number, since: Millis): void {
    this.#attempt.passed(ask, since)
  }

  abort(why: Abort): void {
    this.#stop(why, new DOMException(`the job was ${why}`, 'AbortError'))
  }

  /** The soft limit: what it does after this no longer counts. */
  timeOut(): void {
    this.#stop('timeout', new DOMException('the time limit was reached', 'TimeoutError'))
  }

  #stop(why: Abort | 'timeout', reason: Error): void {
    this.#stopped ??= why
    this.#attempt.abort(reason)
  }

  /** Waits for the handler under its time limit. */
  #within<T>(promised: PromiseLike<T>): PromiseLike<T> {
    this.#timer ??= setTimeout(() => this.timeOut(), this.#softMs)
    return promised
  }

  #complete(returned: unknown): Report | Promise<Report> {
    const { output, name } = this.#handler.definition
    return output ? this.#checkResult(output, returned, name) : this.#toReport(returned)
  }

  async #checkResult(output: Schema, returned: unknown, name: string): Promise<Report> {
    try {
      return this.#toReport(await validate(output, returned, name))
    } catch (error) {
      return refuseResult(error)
    }
  }

  #toReport(value: unknown): Report {
    const { warned: withErrors, artifacts, more } = this.#attempt
    const completed = { how: 'completed', withErrors, artifacts: [...artifacts] } as const
    const report = more ? { ...completed, more } : completed
    if (value === undefined) return report
    const result = encodeResult(value)
    const { references } = this.#tools
    if (references && findUndeclared(decodeJson(result), references).length > 0)
      throw new UnfitResult(UNFIT)
    return { ...report, result }
  }

  #fail(error: unknown): Report {
    // Of data that rests by reference no text is kept that might repeat it.
    const tell = this.#tools.references ? encodeKind : encodeThrown
    const failed = {
      how: 'failed',
      reason: 'error',
      error: tell(error),
      retry: true,
    } as const
    if (error instanceof UnfitResult)
      return {
        ...failed,
        reason: 'unserializable_result',
        error: encodeFailure('UnfitResult', this.#tools.references ? UNFIT : error.message),
        retry: false,
      }
    if (hasCode(error, 'INVALID_INPUT') || hasCode(error, 'UNSTORABLE_INPUT'))
      return { ...failed, reason: 'invalid_input', retry: false }
    // Its code is at fault: another run would say the same, after its effects.
    if (isAtFault(error) || isLasting(error)) return { ...failed, retry: false }
    if (error instanceof Hold) return this.#hold(error)
    if (error instanceof FatalError)
      return { ...failed, error: tell(error.cause ?? error), retry: false }
    if (error instanceof RetryAfter)
      return { ...failed, error: tell(error.cause ?? error), delayMs: error.delayMs }
    return { ...failed, retry: this.#isWorthARetry(error) }
  }

  #hold({ limit, holdMs }: Hold): Report {
    try {
      return { how: 'closed', limit: limitNamed(this.#tools.limits ?? [], limit).name, ms: holdMs }
    } catch (unknown) {
      return this.#fail(unknown)
    }
  }

  #isWorthARetry(error: unknown): boolean {
    try {
      return this.#handler.retryIf?.(error) ?? true
    } catch {
      return true
    }
  }

  /** Once the soft limit has fired it is a time-out, whatever the handler then did; a finished job stays finished when it was only asked to stop. */
  #whenStopped(why: Abort | 'timeout', report: Report): Report {
    if (why === 'timeout')
      return {
        how: 'failed',
        reason: 'timeout',
        error: encodeFailure('TimeoutError', 'the time limit was reached'),
        retry: true,
      }
    if (why === 'cancelled') return { how: 'cancelled' }
    return report.how === 'completed' ? report : { how: 'released', begun: true }
  }

  async #removeFiles(): Promise<void> {
    // What cannot be removed now is found later, by its age.
    await this.#tools.files.removeAll(this.#job.id, this.#job.fence).catch(() => undefined)
  }
}

const isAtFault = (error: unknown): boolean =>
  hasCode(error, 'STEP_REFUSED') || hasCode(error, 'UNKNOWN_LIMIT')

/** Another run would find the same: nobody else has changed it by then. */
const isLasting = (error: unknown): boolean =>
  error instanceof SignalTimeout || error instanceof ChildFailed

/** Query builders and the like are awaited too, though they are no promises. */
const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

const UNFIT = 'the result does not fit, or is more than the declared references'

/** The handler did its work, but what it returned cannot be kept: running it again would repeat the effect. */
class UnfitResult extends Error {}

function refuseResult(error: unknown): never {
  if (!hasCode(error, 'INVALID_INPUT')) throw error
  const [issue] = error.issues
  throw new UnfitResult(`the result does not fit the output schema at "${issue?.pointer ?? ''}"`)
}

function encodeResult(value: unknown): Uint8Array {
  const unfit = findUnfit(value, { membersMax: Number.MAX_SAFE_INTEGER })
  if (unfit)
    throw new UnfitResult(`the result cannot be stored as JSON: ${unfit.why} at "${unfit.pointer}"`)
  const bytes = encodeJson(value)
  if (bytes === undefined) throw new UnfitResult('the result cannot be stored as JSON')
  if (bytes.length > RESULT_BYTES_MAX)
    throw new UnfitResult(
      `the result has ${bytes.length} bytes; at most ${RESULT_BYTES_MAX} are kept`,
    )
  return compress(bytes)
}

function readInput(job: Task): unknown {
  try {
    const input = decodeJson(job.input)
    return job.subject ? readEnded(input, job.subject) : input
  } catch (error) {
    throw new ErrandError('UNSTORABLE_INPUT', { pointer: '', why: 'not_json' }, { cause: error })
  }
}
