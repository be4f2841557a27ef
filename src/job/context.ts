import type { Readable } from 'node:stream'
import type { Span } from '../base/time.ts'
import type { Fence, JobId, LogLevel } from './job.ts'
import type { CallOptions, FollowOptions } from './child.ts'
import type { Definition } from './define.ts'
import type { Given, Parsed, Schema } from './schema.ts'

/**
 * What `start` of an app returned. Name its members once:
 * `declare module 'errand' { interface Resources { db: Db } }`.
 */
// oxlint-disable-next-line no-empty-interface -- users add to it by declaration merging
export interface Resources {}

/** How far a job is, as people see it. */
export type Progress = { done?: number; failed?: number; total?: number; status?: string }

export type Logger = Readonly<Record<LogLevel, (text: string) => void>>

export type ArtifactOptions = {
  /** Media type, shown at download; `application/octet-stream` unless given. */
  type?: string
  /** How long the file stays; 7 days unless given, and at most. */
  keep?: Span
}

/** What a file is made of. */
export type Content = Readable | AsyncIterable<Uint8Array> | Uint8Array | string

/** What a handler is given beside its input. Every member may be taken apart by destructuring. */
export interface Context {
  readonly id: JobId
  /** 1 for the first run. */
  readonly attempt: number
  readonly attemptsMax: number
  readonly fence: Fence
  readonly tenant: string
  /** The same in every attempt, whatever the input: lets the world outside recognise a repeated call. */
  readonly idempotencyKey: string
  /** Aborts at the soft time limit, when a cancel was asked, and when the worker lost its lease. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly resources: Resources
  /** A directory of this attempt's own, removed after it. */
  readonly dir: string
  /** Shown at once, stored at most 4 times a second; the last one always is. */
  readonly progress: (progress: Progress) => void
  /**
   * A part of the job that is done once: what `fn` comes to is recorded, and later attempts are given it
   * without running `fn`. A part that throws, or is cut off midway, is run again with the same `key`, which lets the
   * world outside recognise a repeated call. A name is used once in a run; values come back as JSON has them, also at
   * once, and take at most 256 KiB; a job has at most 1 000 steps of 1 MiB in all.
   * @throws ErrandError STEP_REFUSED (a name that is used again, a value that cannot be stored), and what `fn` throws
   */
  readonly step: <Value>(
    name: string,
    fn: (key: string) => Value | Promise<Value>,
  ) => Promise<Value>
  /**
   * Waits without running: the job is set aside and holds no place, and after this span its handler runs again from
   * the top, with its steps recorded. So hold nothing across a wait, and let what has effects be a step. At most a
   * year; a name is used once in a run. A handler is set aside once all unfinished calls of its context are waits:
   * after a race that a wait has lost, what follows must be a step.
   * @throws ErrandError STEP_REFUSED, INVALID_OPTION
   */
  readonly sleep: (name: string, span: Span) => Promise<void>
  /**
   * Waits as `sleep` does, until a signal of this name was sent to the job (`errand.signal`), be it before or after
   * this call, and gives what came with the first. Without a schema that is what its sender says it is.
   * @throws ErrandError STEP_REFUSED, INVALID_OPTION, INVALID_INPUT (what came does not fit the schema);
   * SignalTimeout when none came within `timeout`, which counts from the first such call and is a year at most
   */
  readonly waitFor: <Of extends Schema>(
    signal: string,
    options?: { schema?: Of; timeout?: Span },
  ) => Promise<Parsed<Of>>
  /**
   * Has another job run, and waits as `sleep` does for what it comes to. The same name is the same job in every run,
   * of the caller's tenant and with its policy; several at once run side by side. Who calls several goes on when all
   * of them have ended, or one went wrong; when the caller is cancelled they are asked to end too.
   * @throws ErrandError STEP_REFUSED (a name that is used again, or for another job or input than before),
   * INVALID_INPUT and its kin; ChildFailed when it failed or was cancelled
   */
  readonly call: <In extends Schema, Out extends Schema>(
    name: string,
    job: Definition<In, Out>,
    input: Given<In>,
    options?: CallOptions,
  ) => Promise<Parsed<Out>>
  /**
   * Leaves a job behind: it is stored by the step that completes this one, and is dropped when this one does not
   * complete. Of the same tenant, unless this job has none and says whose it is; a name is used once in a run, and a run
   * leaves 100 at most.
   * @throws ErrandError STEP_REFUSED, INVALID_INPUT and its kin
   */
  readonly enqueue: <In extends Schema>(
    name: string,
    job: Definition<In>,
    input: Given<In>,
    options?: FollowOptions,
  ) => Promise<{ id: JobId }>
  /**
   * Resolves when a call may be made under a limit of the app, or `n` of them at once: in no span of the limit do more
   * pass, by all workers of the store together. Those who ask in one worker pass in their order. The job keeps its
   * place meanwhile, and its time runs; what is not called after all counts all the same.
   * @throws ErrandError UNKNOWN_LIMIT, INVALID_OPTION; what its abort signal says when that fires
   */
  readonly take: (limit: string, n?: number) => Promise<void>
  /** The job completes *with errors*. */
  readonly warn: (code: string, text?: string) => void
  /**
   * Stores a file under the job's id and fence; it is there for others once the job has completed.
   * @throws ErrandError INVALID_FILE_NAME, ARTIFACT_TOO_LARGE (1 GiB), FILES_FULL
   */
  readonly artifact: (file: string, content: Content, options?: ArtifactOptions) => Promise<void>
}
