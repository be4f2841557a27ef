import { z } from '@hono/zod-openapi'
import { parseSpan, type Span } from '../base/time.ts'
import { REASONS, STATES } from '../job/state.ts'

export const moment = z
  .string()
  .openapi({ format: 'date-time', example: '2026-11-21T02:00:00.000Z' })
export const name = z.string().regex(/^[a-z][a-z0-9._-]{0,99}$/, 'needs a name such as report.make')
export const count = z.int().min(0)
export const state = z.enum(STATES)

export const span = z
  .custom<Span>(
    (value) => parseSpan(value) !== undefined,
    "needs a span such as '90s', '4m' or '7d'",
  )
  .openapi({ type: 'string', example: '4m', description: 'A span: 90s, 4m, 7d.' })

export const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((said) => !/\p{Cc}/u.test(said), 'must not hold control characters')

export const listOf = <T extends z.ZodType>(item: T) => z.object({ data: z.array(item) })

const limit = z.strictObject({
  key: text(100),
  running: z.int().min(1).exactOptional(),
  pending: z.int().min(1).exactOptional(),
})

/** What may be asked for. An unknown member is refused, so that a typo is never silently ignored. */
export const NewJob = z
  .strictObject({
    job: name.openapi({ description: 'The name of a definition.', example: 'report.make' }),
    input: z.unknown().refine((input) => input !== undefined, 'is required'),
    id: z.uuid().optional(),
    queue: name.optional(),
    priority: z.union([z.int().min(0).max(9), z.enum(['high', 'normal', 'low'])]).optional(),
    runAt: moment.optional(),
    delay: span.optional(),
    unique: text(255).optional(),
    tags: z.array(text(100)).max(10).optional(),
    expiresIn: span.optional(),
    deadline: span.optional(),
    limits: z.array(limit).max(3).optional(),
  })
  .openapi('NewJob')

/** What a person may change about a job when giving it another life. */
export const Retry = z
  .strictObject({ input: z.unknown().optional(), note: text(500).optional() })
  .openapi('Retry')

export const Signal = z
  .strictObject({
    value: z.unknown().optional(),
    ifWaiting: z
      .boolean()
      .optional()
      .openapi({ description: 'Refuse it unless the job waits for it just now.' }),
  })
  .openapi('Signal')

export const JobPath = z.object({ id: z.string().openapi({ format: 'uuid' }) })
export const SignalPath = JobPath.extend({ name: text(100) })
export const ArtifactPath = JobPath.extend({ file: z.string() })

export const JobQuery = z.strictObject({
  state: state.optional(),
  job: text(100).optional(),
  queue: text(100).optional(),
  tag: text(100).optional(),
  batch: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: text(500).optional(),
})

export const LogQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
})

const Failure = z.object({ name: z.string(), message: z.string(), code: z.string().optional() })

const Progress = z.object({
  done: z.number().optional(),
  failed: z.number().optional(),
  total: z.number().optional(),
  status: z.string().optional(),
})

export const ArtifactView = z
  .object({
    file: z.string(),
    type: z.string(),
    bytes: count,
    sha256: z.string(),
    expiresAt: moment,
    url: z.string().openapi({ description: 'A signed link, good for 15 minutes.' }),
  })
  .openapi('Artifact')

export const JobView = z
  .object({
    id: z.uuid(),
    job: z.string(),
    queue: z.string(),
    tenant: z.string().optional(),
    state,
    priority: count,
    attempt: count,
    attemptsMax: count,
    progress: Progress.optional(),
    withErrors: z.boolean().optional(),
    sealed: z
      .boolean()
      .optional()
      .openapi({ description: 'What it carries rests sealed in the store.' }),
    cancelAsked: z.boolean().optional(),
    reason: z.enum(REASONS).optional(),
    error: Failure.optional(),
    result: z.unknown().optional(),
    dropped: z
      .array(z.enum(['input', 'result']))
      .readonly()
      .optional()
      .openapi({ description: 'What was kept for a time which is over.' }),
    artifacts: z.array(ArtifactView).optional(),
    unique: z.string().optional(),
    tags: z.array(z.string()).readonly().optional(),
    waitingFor: z.string().optional().openapi({
      description: 'handler, sleep:<name>, signal:<name>, limit:<name>, or several of these.',
    }),
    heldBy: z
      .string()
      .optional()
      .openapi({ description: 'Of a ready job: the key that has no place for it.' }),
    wakesAt: moment.optional().openapi({ description: 'Until when it waits at most.' }),
    batch: z.uuid().optional().openapi({ description: 'The batch that it is an item of.' }),
    index: count.optional().openapi({ description: 'Its place in the batch, from 0.' }),
    parent: z.uuid().optional().openapi({ description: 'The job that called this one.' }),
    subject: z
      .uuid()
      .optional()
      .openapi({ description: 'The ended job, or the batch, that this one is a hook of.' }),
    createdAt: moment,
    runAt: moment,
    startedAt: moment.optional(),
    endedAt: moment.optional(),
    rev: count,
    joined: z.boolean().optional().openapi({ description: 'The job was there before.' }),
    links: z.object({
      self: z.string(),
      events: z.string(),
      artifacts: z.string(),
      cancel: z.string().optional(),
      retry: z.string().optional(),
    }),
  })
  .openapi('Job')

export const JobPage = listOf(JobView).extend({ nextCursor: z.string().optional() })
export const Artifacts = listOf(ArtifactView)

export const Attempts = listOf(
  z
    .object({
      fence: count,
      worker: z.string(),
      startedAt: moment,
      endedAt: moment,
      outcome: z.string(),
      error: Failure.optional(),
    })
    .openapi('Attempt'),
)

export const Steps = listOf(
  z
    .object({
      name: z.string(),
      at: moment,
      value: z.unknown().optional(),
      until: moment.optional().openapi({ description: 'Of a wait: how long it lasts at most.' }),
    })
    .openapi('Step'),
)

export const Signals = listOf(
  z
    .object({ name: z.string(), key: z.string(), at: moment, value: z.unknown().optional() })
    .openapi('SentSignal'),
)

export const Logs = listOf(
  z
    .object({ n: count, at: moment, level: z.string(), text: z.string(), fence: count })
    .openapi('LogLine'),
)

const digest = (description: string) => z.string().optional().openapi({ description })

const build = {
  release: z.string().optional(),
  settings: digest('A digest of the settings that processes on one store should share.'),
  appSettings: digest('A digest of the settings of its app, where that names them.'),
}

export const Workers = listOf(
  z
    .object({
      id: z.string(),
      alive: z.boolean(),
      running: count,
      registeredAt: moment,
      leaseUntil: moment,
      overloaded: count
        .optional()
        .openapi({ description: 'Executors that cannot keep up: they are handed no more jobs.' }),
      memoryMb: z.number().optional(),
      lateMs: z.number().optional(),
      cpu: z.number().optional().openapi({ description: 'Cores that its executors keep busy.' }),
      host: z.string().optional(),
      pid: count.optional(),
      node: z.string().optional(),
      queues: z.array(z.string()).readonly().optional(),
      concurrency: count.optional(),
      processes: count.optional(),
      ...build,
      schedules: digest('By what the schedules of its app are known.'),
    })
    .openapi('Worker'),
)

export const Definitions = listOf(
  z
    .object({
      name: z.string(),
      queue: z.string(),
      priority: count,
      attempts: count,
      input: z.record(z.string(), z.unknown()).optional(),
    })
    .openapi('Definition'),
)

export const Probe = z.object({ status: z.enum(['ok', 'down']) })

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    troubles: z
      .array(z.string())
      .readonly()
      .optional()
      .openapi({ description: 'Processes that die as soon as they are started.' }),
    warnings: z
      .array(z.string())
      .readonly()
      .optional()
      .openapi({ description: 'What endangers or slows the store as it stands now.' }),
    store: z.object({ kind: z.string(), durability: z.string() }),
    workers: z
      .object({
        alive: count,
        overloaded: count.optional().openapi({ description: 'Workers that take no more jobs.' }),
      })
      .optional(),
    queues: z.record(state, count).optional(),
    version: z.string(),
    ...build,
  })
  .openapi('Health')

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string(),
    requestId: z.string(),
    errors: z
      .array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() }))
      .optional(),
  })
  .openapi('Problem')

export type ProblemView = z.infer<typeof Problem>
export type JobJson = z.infer<typeof JobView>
export type HealthView = z.infer<typeof Health>
