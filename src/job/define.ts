import type { Span } from '../base/time.ts'
import { type Backoff, readBackoff } from './backoff.ts'
import type { Context } from './context.ts'
import type { Unique } from './job.ts'
import { readChoice, readCount, readName, readSpan, refuseUnknown } from './options.ts'
import { encodePolicy, POLICY_DEFAULTS, type Policy } from './policy.ts'
import type { Given, Parsed, Schema } from './schema.ts'

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
  /** One attempt's time: its abort signal fires at `soft`, 5 min unless said; `retry: false` fails at once. */
  timeout?: Span | { soft?: Span; retry?: boolean }
  /** What happens when its worker's lease ran out; `retry` unless said. */
  onLost?: 'retry' | 'fail'
  /** How long the record stays after the end: completed 1 day, failed and cancelled 30 days. */
  keep?: { record?: Span; failed?: Span }
  /** Makes a second job with the same value join the first, or be refused. */
  unique?: {
    by: (input: Input) => string
    until?: Unique['until']
    onConflict?: Unique['onConflict']
  }
}

export type Priority = number | 'high' | 'normal' | 'low'

type Spec<In extends Schema, Out extends Schema> = JobOptions<Given<In>> & {
  name: string
  input: In
  output?: Out
}

/** What callers import of a job: its name, schemas and policy. No handler. */
export type Definition<In extends Schema = Schema, Out extends Schema = Schema> = {
  readonly name: string
  readonly input: In
  readonly output?: Out
  readonly queue: string
  readonly priority: number
  readonly policy: Policy
  /** The policy as it travels with each job. */
  readonly policyBytes: Uint8Array
  readonly unique?: {
    by(input: Given<In>): string
    until: Unique['until']
    onConflict: Unique['onConflict']
  }
}

/** The function that does a definition's work; only executors import it. */
export type Handler<In extends Schema = Schema, Out extends Schema = Schema> = {
  readonly definition: Definition<In, Out>
  run(input: Parsed<In>, context: Context): Promise<Given<Out>> | Given<Out>
  /** Whether an error is worth another attempt; every error is unless said. */
  retryIf?(error: unknown): boolean
}

/** A job written in one piece is its own handler. */
export type WholeJob<In extends Schema = Schema, Out extends Schema = Schema> = Definition<
  In,
  Out
> & { readonly handler: Handler<In, Out> }

type Work<In extends Schema, Out extends Schema> = Omit<Handler<In, Out>, 'definition'>

const OPTIONS = ['queue', 'priority', 'attempts', 'backoff', 'timeout', 'onLost', 'keep', 'unique']

/**
 * Says what a job is: its name, what goes in, what comes out, and how failures are met.
 * With `run` it is a whole job; without, its work is added by `handler`.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION
 */
export function defineJob<In extends Schema, Out extends Schema>(
  spec: Spec<In, Out> & Work<In, Out>,
): WholeJob<In, Out>
export function defineJob<In extends Schema, Out extends Schema>(
  spec: Spec<In, Out>,
): Definition<In, Out>
export function defineJob<In extends Schema, Out extends Schema>(
  spec: Spec<In, Out> & Partial<Work<In, Out>>,
): Definition<In, Out> | WholeJob<In, Out> {
  refuseUnknown(spec, ['name', 'input', 'output', 'run', 'retryIf', ...OPTIONS])
  const { by, until, onConflict } = readJobUnique(spec.unique)
  const policy = readJobPolicy(spec)
  const definition: Definition<In, Out> = {
    name: readName('name', spec.name),
    input: spec.input,
    ...(spec.output && { output: spec.output }),
    queue: readName('queue', spec.queue ?? 'default'),
    priority: readPriority(spec.priority ?? 'normal'),
    policy,
    policyBytes: encodePolicy(policy),
    ...(by && { unique: { by, until, onConflict } }),
  }
  const { run, retryIf } = spec
  return run
    ? { ...definition, handler: { definition, run, ...(retryIf && { retryIf }) } }
    : definition
}

/**
 * Adds the work to a definition.
 * @throws ErrandError UNKNOWN_OPTION
 */
export function handler<In extends Schema, Out extends Schema>(
  definition: Definition<In, Out>,
  work: Work<In, Out>,
): Handler<In, Out> {
  refuseUnknown(work, ['run', 'retryIf'])
  return { definition, ...work }
}

const PRIORITIES = { high: 2, normal: 5, low: 8 } as const

export const readPriority = (priority: Priority): number =>
  typeof priority === 'string' && Object.hasOwn(PRIORITIES, priority)
    ? PRIORITIES[priority]
    : readCount('priority', priority, { max: 9 })

function readJobUnique<Input>(unique: Partial<NonNullable<JobOptions<Input>['unique']>> = {}) {
  refuseUnknown(unique, ['by', 'until', 'onConflict'])
  return {
    by: unique.by,
    until: readChoice('unique.until', unique.until ?? 'end', ['end', 'kept']),
    onConflict: readChoice('unique.onConflict', unique.onConflict ?? 'join', ['join', 'refuse']),
  }
}

function readJobPolicy({
  attempts,
  backoff,
  timeout,
  onLost = 'retry',
  keep = {},
}: JobOptions): Policy {
  const limits =
    typeof timeout === 'object' ? timeout : { ...(timeout !== undefined && { soft: timeout }) }
  refuseUnknown(limits, ['soft', 'retry'])
  refuseUnknown(keep, ['record', 'failed'])
  const of = POLICY_DEFAULTS
  const softMs = readSpan('timeout.soft', limits.soft ?? of.softMs, { min: 1 })
  return {
    attempts: readCount('attempts', attempts ?? of.attempts, { min: 1, max: 100 }),
    backoff: backoff === undefined ? of.backoff : readBackoff(backoff),
    softMs,
    retryTimeouts: limits.retry ?? of.retryTimeouts,
    onLost: readChoice('onLost', onLost, ['retry', 'fail']),
    keepCompletedMs: readSpan('keep.record', keep.record ?? of.keepCompletedMs),
    keepFailedMs: readSpan('keep.failed', keep.failed ?? of.keepFailedMs),
    keepAtLeastMs: of.keepAtLeastMs,
  }
}
