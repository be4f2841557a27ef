import { createHash } from 'node:crypto'
import { encodeJson, findUnfit, type Bytes } from '../base/json.ts'
import { derivedId, isId, newId } from '../base/id.ts'
import type { Span } from '../base/time.ts'
import type { Definition } from './define.ts'
import { ErrandError } from './errors.ts'
import type { JobId, NewJob } from './job.ts'
import { type LimitOption, limitsFor, readLimitOptions } from './limits.ts'
import {
  readMoment,
  readName,
  readSpan,
  readText,
  refuseUnknown,
  spell,
  YEAR_MS,
} from './options.ts'
import { encodePolicy } from './policy.ts'
import { refuseUndeclared } from './reference.ts'
import { validate } from './schema.ts'
import { type Priority, readPriority } from './terms.ts'

/** What may be said of one enqueue. */
export type EnqueueOptions = {
  /** The caller's own UUID: the same id with the same job and input joins the first. */
  id?: JobId
  queue?: string
  priority?: Priority
  /** Not before this moment; at most a year ahead. */
  runAt?: Date | Temporal.Instant | string
  /** Not before this span has passed; at most a year. */
  delay?: Span
  /** Joins a job of the same name and tenant that holds the same value. */
  unique?: string
  /** Beside those of the definition, three in all. */
  limits?: readonly LimitOption[]
  tenant?: string
  /** At most 10, of at most 100 characters each. */
  tags?: readonly string[]
  /** Failed (expired) unless it started within this span of being due. */
  expiresIn?: Span
  /** The whole job, retries and waiting included. */
  deadline?: Span
}

/**
 * A repeated request, known by its key, finds its first job: see the Idempotency-Key header. `asked` are the options that
 * whoever repeats it said; without it all are, and a setting that is another by then makes it another request.
 */
export type Idempotency = { route: string; key: string; asked?: EnqueueOptions }

const KNOWN = [
  'limits',
  'id',
  'queue',
  'priority',
  'runAt',
  'delay',
  'unique',
  'tenant',
  'tags',
  'expiresIn',
  'deadline',
]
const IDEMPOTENCY_MS = 86_400_000
export const INPUT_BYTES_MAX = 262_144
/** In the usual input; a larger one may have as many more. */
const MEMBERS_MAX = 10_000

/**
 * Turns a definition and an input into a job that a store can take: validated, encoded, complete.
 * The input is stored as given, and parsed again where it runs, so that a schema may transform it.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION, INVALID_INPUT, UNSTORABLE_INPUT, INPUT_TOO_LARGE
 */
export function prepare(
  definition: Definition,
  input: unknown,
  options?: EnqueueOptions,
  idempotency?: Idempotency,
): NewJob | Promise<NewJob> {
  const bytes = encodeInput(input, definition.inputMax)
  refuseUndeclared(bytes, definition.policy, definition.name)
  const validated = validate(definition.input, input, definition.name)
  const build = () =>
    options === undefined &&
    idempotency === undefined &&
    definition.unique === undefined &&
    definition.limits === undefined &&
    !definition.fair
      ? plainJob(definition, bytes)
      : optionedJob(definition, input, bytes, options ?? {}, idempotency)
  // At once where the schema allows: most enqueues ask for nothing special, and there are many.
  return validated instanceof Promise ? validated.then(build) : build()
}

/**
 * A job as `prepare` makes it, of an input that nobody has looked at: whoever runs it finds what is wrong with it.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION
 */
export const unchecked = (definition: Definition, input: Bytes, options: EnqueueOptions): NewJob =>
  optionedJob(definition, undefined, input, options, undefined)

const plainJob = ({ name, queue, priority, policyBytes }: Definition, input: Bytes): NewJob => ({
  id: newId(),
  job: name,
  queue,
  tenant: '',
  priority,
  input,
  policy: policyBytes,
})

function optionedJob(
  definition: Definition,
  input: unknown,
  bytes: Bytes,
  options: EnqueueOptions,
  idempotency: Idempotency | undefined,
): NewJob {
  refuseUnknown(options, KNOWN)
  const { expiresIn, deadline, tags } = options
  const tenant = options.tenant === undefined ? '' : readText('tenant', options.tenant)
  const isNamed = idempotency !== undefined || options.id !== undefined
  const unique = readUnique(definition, input, options.unique)
  const own = readLimitOptions(options.limits ?? [])
  const limits = limitsFor([...(definition.limits?.of(input) ?? []), ...own])
  return {
    ...plainJob(definition, bytes),
    id: idempotency ? derivedId(tenant, idempotency.route, idempotency.key) : readId(options.id),
    tenant,
    ...(options.queue !== undefined && { queue: readName('queue', options.queue) }),
    ...(options.priority !== undefined && { priority: readPriority(options.priority) }),
    ...(idempotency && {
      policy: encodePolicy({ ...definition.policy, keepAtLeastMs: IDEMPOTENCY_MS }),
    }),
    ...readStart(options),
    ...(expiresIn !== undefined && {
      expiresInMs: readSpan('expiresIn', expiresIn, { max: YEAR_MS }),
    }),
    ...(deadline !== undefined && { deadlineMs: readSpan('deadline', deadline, { max: YEAR_MS }) }),
    ...(isNamed && {
      fingerprint: fingerprintOf(definition.name, bytes, idempotency?.asked ?? options),
    }),
    ...(unique && { unique }),
    ...(limits.length > 0 && { limits }),
    ...(definition.fair && { fair: true }),
    ...(tags?.length && { tags: readTags(tags) }),
  }
}

/** Input as bytes, or the reason why it cannot be stored and come back the same. */
export function encodeInput(input: unknown, max = INPUT_BYTES_MAX): Bytes {
  const membersMax = MEMBERS_MAX * Math.max(1, max / INPUT_BYTES_MAX)
  const unfit = findUnfit(input, { membersMax })
  if (unfit) throw new ErrandError('UNSTORABLE_INPUT', { pointer: unfit.pointer, why: unfit.why })
  const bytes = encodeJson(input)
  if (bytes === undefined)
    throw new ErrandError('UNSTORABLE_INPUT', { pointer: '', why: 'not_json' })
  if (bytes.length > max) throw new ErrandError('INPUT_TOO_LARGE', { bytes: bytes.length, max })
  return bytes
}

function readId(id: string | undefined): JobId {
  if (id === undefined) return newId()
  const given = id.toLowerCase()
  if (!isId(given))
    throw new ErrandError('INVALID_OPTION', { option: 'id', problem: 'needs a UUID' })
  return given
}

function readUnique(
  { unique }: Definition,
  input: unknown,
  value: string | undefined,
): NewJob['unique'] {
  const { until = 'end', onConflict = 'join' } = unique ?? {}
  const text = value ?? unique?.by(input)
  return text === undefined ? undefined : { value: readText('unique', text), until, onConflict }
}

function readTags(tags: readonly string[]): string[] {
  if (tags.length > 10)
    throw new ErrandError('INVALID_OPTION', { option: 'tags', problem: 'takes at most 10' })
  return [...new Set(tags.map((tag) => readText('tags', tag, { max: 100 })))]
}

function readStart({ runAt, delay }: EnqueueOptions): Pick<NewJob, 'runAt' | 'delayMs'> {
  if (delay !== undefined) return { delayMs: readSpan('delay', delay, { max: YEAR_MS }) }
  if (runAt === undefined) return {}
  const at = readMoment(runAt)
  if (at === undefined || at > Date.now() + YEAR_MS)
    throw new ErrandError('INVALID_OPTION', {
      option: 'runAt',
      problem: 'needs an instant such as 2026-11-21T02:00:00Z within a year',
    })
  return { runAt: at }
}

/** Two requests under one id are the same request when this is. */
function fingerprintOf(job: string, input: Bytes, { id: _id, ...options }: EnqueueOptions): string {
  return createHash('sha256')
    .update(`${job}\n${spell(options)}\n`)
    .update(input)
    .digest('base64url')
}
