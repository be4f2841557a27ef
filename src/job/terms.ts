import type { Span } from '../base/time.ts'
import { type Backoff, readBackoff } from './backoff.ts'
import type { Definition } from './define.ts'
import { ErrandError } from './errors.ts'
import { toHook } from './hooks.ts'
import type { Unique } from './job.ts'
import { type LimitOption, limitsOfEnd } from './limits.ts'
import { readChoice, readCount, readSpan, readText, refuseUnknown } from './options.ts'
import { FILES_KEPT_MAX_MS } from './keep.ts'
import { type DataRest, HARD_AFTER_MS, type Hook, POLICY_DEFAULTS, type Policy } from './policy.ts'

/** What may be said of a job beside its name and schemas. */
export type JobOptions<Input = never> = {
  /** The line it waits in; `default` unless said. */
  queue?: string
  /** 0–9, lower runs sooner; `high` 2, `normal` 5, `low` 8. */
  priority?: Priority
  /** Runs in all, the first included: 1–100, 4 unless said. */
  attempts?: number
  /** Waits between runs; `exponential('1m')` unless said: 60, 120, 240 s. */
  backoff?: Span | readonly Span[] | Backoff
  /**
   * One attempt's time: its abort signal fires at `soft`, 5 min unless said; at `hard`, 5 s after that
   * unless said, its process is killed. `retry: false` fails at once.
   */
  timeout?: Span | { soft?: Span; hard?: Span; retry?: boolean }
  /** What happens when its worker's lease ran out; `retry` unless said. `fail` implies `isolate`. */
  onLost?: 'retry' | 'fail'
  /** It never shares an executor: no other job is stopped with it, or it with them. */
  isolate?: boolean
  /**
   * How what it carries rests in a store: `inline`, as it is, unless said; `sealed` under the keys of the
   * installation, which no store holds: its input, result, errors, progress, steps, signals, log lines and
   * files; `reference`: only as `references`. Its log lines, and the texts of its errors and of its progress, are
   * kept nowhere.
   */
  data?: DataRest
  /**
   * With `data: 'reference'`: the fields that say where its data is, and all that its input, result, steps and
   * signals may hold. Each is a text of at most 200 characters, a number, a boolean, or a list of those.
   */
  references?: readonly string[]
  /** A job inserted in the step that completes this one; its input is an `Ended`. */
  onSuccess?: Definition
  /** The same for the step that fails or cancels this one, whatever the cause. */
  onFailure?: Definition
  /**
   * How long what is left stays after the end. `record`: a completed job, 1 day unless said; `failed`: one that failed or
   * was cancelled, with its input, 30 days; `input` and `result` of a completed one, where they are to go before its
   * record; `files`: each file of which its handler does not say it, 7 days, and 7 days at most.
   */
  keep?: { input?: Span; result?: Span; record?: Span; failed?: Span; files?: Span }
  /**
   * Leaves its queue by its tenant's turn: one with a thousand waiting jobs keeps nobody from theirs. So is no
   * job unless said.
   */
  fair?: boolean
  /**
   * Keys that bound how many jobs run or wait, at most three with those of an enqueue: `{ key: 'pdf', running: 3 }`,
   * or a key made of the input. They rest in the clear.
   */
  limits?: readonly LimitOption<Input>[]
  /** The largest input, in bytes of JSON: 262 144 unless said, 8 388 608 at most. It rests compressed. */
  inputMax?: number
  /** Makes a second job with the same value join the first, or be refused. */
  unique?: {
    by: (input: Input) => string
    until?: Unique['until']
    onConflict?: Unique['onConflict']
  }
}

export type Priority = number | 'high' | 'normal' | 'low'

export const OPTIONS = [
  'queue',
  'priority',
  'attempts',
  'backoff',
  'timeout',
  'onLost',
  'isolate',
  'data',
  'references',
  'onSuccess',
  'onFailure',
  'limits',
  'fair',
  'keep',
  'inputMax',
  'unique',
]

const PRIORITIES = { high: 2, normal: 5, low: 8 } as const

export const readPriority = (priority: Priority): number =>
  typeof priority === 'string' && Object.hasOwn(PRIORITIES, priority)
    ? PRIORITIES[priority]
    : readCount('priority', priority, { max: 9 })

export function readJobUnique<Input>(
  unique: Partial<NonNullable<JobOptions<Input>['unique']>> = {},
) {
  refuseUnknown(unique, ['by', 'until', 'onConflict'])
  return {
    by: unique.by,
    until: readChoice('unique.until', unique.until ?? 'end', ['end', 'kept']),
    onConflict: readChoice('unique.onConflict', unique.onConflict ?? 'join', ['join', 'refuse']),
  }
}

export function readJobPolicy({
  attempts,
  backoff,
  timeout,
  onLost = 'retry',
  isolate = false,
  data = 'inline',
  references,
  onSuccess,
  onFailure,
  keep = {},
}: JobOptions): Policy {
  refuseUnknown(keep, ['input', 'result', 'record', 'failed', 'files'])
  const of = POLICY_DEFAULTS
  return {
    attempts: readCount('attempts', attempts ?? of.attempts, { min: 1, max: 100 }),
    backoff: backoff === undefined ? of.backoff : readBackoff(backoff),
    ...readTimeout(
      typeof timeout === 'object' ? timeout : timeout === undefined ? {} : { soft: timeout },
    ),
    onLost: readChoice('onLost', onLost, ['retry', 'fail']),
    // Where a run must not be repeated, no neighbour's end may cut it off.
    isolate: isolate || onLost === 'fail',
    data: readChoice('data', data, ['inline', 'sealed', 'reference']),
    ...readReferences(data, references),
    ...(onSuccess && { onSuccess: readHook('onSuccess', onSuccess, data) }),
    ...(onFailure && { onFailure: readHook('onFailure', onFailure, data) }),
    keepCompletedMs: readSpan('keep.record', keep.record ?? of.keepCompletedMs),
    keepFailedMs: readSpan('keep.failed', keep.failed ?? of.keepFailedMs),
    ...readDrops(keep),
    keepAtLeastMs: of.keepAtLeastMs,
  }
}

function readReferences(data: DataRest, references: unknown): Pick<Policy, 'references'> {
  const refuse = (problem: string): never => {
    throw new ErrandError('INVALID_OPTION', { option: 'references', problem })
  }
  if (data !== 'reference')
    return references === undefined ? {} : refuse("belongs to data: 'reference'")
  if (!Array.isArray(references)) return refuse('needs a list of names of fields')
  return { references: references.map((field: unknown) => readText('references', field)) }
}

function readDrops({ input, result, files }: NonNullable<JobOptions['keep']>) {
  return {
    ...(input !== undefined && { keepInputMs: readSpan('keep.input', input) }),
    ...(result !== undefined && { keepResultMs: readSpan('keep.result', result) }),
    ...(files !== undefined && {
      keepFilesMs: readSpan('keep.files', files, { max: FILES_KEPT_MAX_MS }),
    }),
  }
}

/** A hard limit alone draws the soft one below itself. */
function readTimeout(timeout: { soft?: Span; hard?: Span; retry?: boolean }) {
  refuseUnknown(timeout, ['soft', 'hard', 'retry'])
  const { softMs: usualMs, retryTimeouts } = POLICY_DEFAULTS
  const hard =
    timeout.hard === undefined ? undefined : readSpan('timeout.hard', timeout.hard, { min: 1 })
  const softMs =
    timeout.soft === undefined
      ? Math.min(usualMs, hard ?? Infinity)
      : readSpan('timeout.soft', timeout.soft, { min: 1 })
  const hardMs = hard ?? softMs + HARD_AFTER_MS
  if (hardMs < softMs || (hardMs === softMs && timeout.soft !== undefined))
    throw new ErrandError('INVALID_OPTION', {
      option: 'timeout.hard',
      problem: 'must be longer than timeout.soft',
    })
  return { softMs, hardMs, retryTimeouts: timeout.retry ?? retryTimeouts }
}

function readHook(option: string, definition: Definition, data: DataRest): Hook {
  // It is given what its subject had.
  if (data === 'sealed' && definition.policy.data !== 'sealed')
    throw new ErrandError('INVALID_OPTION', { option, problem: "needs data: 'sealed' as well" })
  if (definition.unique === undefined)
    return { ...toHook(definition), ...limitsOfEnd(option, definition.limits) }
  // A hook that joined another job would leave its ending without one.
  throw new ErrandError('INVALID_OPTION', { option, problem: 'must not be a unique job' })
}
