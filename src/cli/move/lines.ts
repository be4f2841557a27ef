import { z } from 'zod'
import type { Bytes } from '../../base/json.ts'
import { STOPS } from '../../job/batch.ts'
import { LOG_LEVELS } from '../../job/job.ts'
import { REASONS } from '../../job/state.ts'

/** The lines of an export: what each holds, as JSON and as it is here. Bytes are written as base64. */

/** A reader refuses what it does not know. */
export const VERSION = 2

const bytes = z.codec(
  z.string(),
  z.custom<Bytes>((value) => value instanceof Uint8Array),
  { decode: readBytes, encode: toBase64 },
)
/** Shared by many jobs: those that are alike are one and the same again. */
const shared = z.codec(
  z.string(),
  z.custom<Bytes>((value) => value instanceof Uint8Array),
  { decode: readShared, encode: toBase64 },
)
const moment = z.int().min(0).max(0xffff_ffff_ffff)
const count = z.int().min(0).max(0xffff_ffff)
// A store may refuse a text with NUL, and the whole call with it.
const text = z.string().refine((given) => !given.includes('\0'))
const id = z.string().regex(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)

const limits = z
  .array(
    z.strictObject({ key: text, running: count.exactOptional(), pending: count.exactOptional() }),
  )
  .readonly()

const head = z.strictObject({
  line: z.literal('export'),
  version: z.int(),
  release: text,
  kind: text,
  schema: count,
  exportedAt: z.iso.datetime(),
})

const run = z.strictObject({
  fence: moment,
  worker: id,
  startedAt: moment,
  endedAt: moment,
  outcome: text,
  error: bytes.exactOptional(),
})

const line = z.strictObject({ at: moment, fence: moment, level: z.enum(LOG_LEVELS), text })

const step = z.strictObject({ name: text, at: moment, value: bytes })

const letter = z.strictObject({
  name: text,
  key: text,
  at: moment,
  value: bytes,
  urgent: z.boolean().exactOptional(),
})

const awaits = z.strictObject({ one: z.array(text).readonly(), all: z.array(text).readonly() })

const artifact = z.strictObject({
  file: text,
  fence: moment,
  type: text,
  bytes: moment,
  sha256: text,
  expiresAt: moment,
})

const place = z.strictObject({ batch: id, index: count })

const job = z.strictObject({
  line: z.literal('job'),
  id,
  job: text,
  queue: text,
  tenant: text,
  state: z.enum(['scheduled', 'ready', 'waiting', 'completed', 'failed', 'cancelled']),
  priority: z.int().min(0).max(9),
  rev: count,
  fence: moment,
  failures: count,
  crashes: count,
  losses: count,
  createdAt: moment,
  runAt: moment,
  startedAt: moment.exactOptional(),
  endedAt: moment.exactOptional(),
  keptUntil: moment.exactOptional(),
  drops: z
    .strictObject({ input: moment.exactOptional(), result: moment.exactOptional() })
    .exactOptional(),
  expiresAt: moment.exactOptional(),
  deadlineAt: moment.exactOptional(),
  worker: id.exactOptional(),
  subject: id.exactOptional(),
  parent: z.strictObject({ id, name: text }).exactOptional(),
  place: place.exactOptional(),
  limits: limits.exactOptional(),
  unique: z.strictObject({ value: text, until: z.enum(['end', 'kept']) }).exactOptional(),
  fingerprint: text.exactOptional(),
  waitingFor: text.exactOptional(),
  wakesAt: moment.exactOptional(),
  awaits: awaits.exactOptional(),
  reason: z.enum(REASONS).exactOptional(),
  withErrors: z.boolean(),
  cancelAsked: z.boolean(),
  tags: z.array(text).readonly(),
  policy: shared,
  input: bytes,
  result: bytes.exactOptional(),
  error: bytes.exactOptional(),
  progress: bytes.exactOptional(),
  attempts: z.array(run).readonly(),
  log: z.array(line).readonly(),
  steps: z.array(step).readonly(),
  mail: z.array(letter).readonly(),
  artifacts: z.array(artifact).readonly(),
})

const alias = z.strictObject({
  line: z.literal('alias'),
  id,
  job: id,
  fingerprint: text,
  until: moment,
})

/** What a job whose run was lost on the way says of its end to the one that called it. */
const word = z.strictObject({
  line: z.literal('word'),
  to: id,
  name: text,
  key: text,
  value: bytes,
  urgent: z.boolean().exactOptional(),
})

/** What is kept under a name beside jobs. */
const entry = z.strictObject({
  line: z.literal('entry'),
  kind: text,
  name: text,
  stamp: id,
  at: moment.exactOptional(),
  value: bytes,
})

/** The job at the end of a batch, as it will be inserted. */
const last = z.strictObject({
  id,
  job: text,
  queue: text,
  tenant: text,
  priority: z.int().min(0).max(9),
  input: bytes,
  policy: shared,
  subject: id.exactOptional(),
  runAt: moment.exactOptional(),
  delayMs: moment.exactOptional(),
  expiresInMs: moment.exactOptional(),
  deadlineMs: moment.exactOptional(),
  fingerprint: text.exactOptional(),
  unique: z
    .strictObject({
      value: text,
      until: z.enum(['end', 'kept']),
      onConflict: z.enum(['join', 'refuse']),
    })
    .exactOptional(),
  tags: z.array(text).readonly().exactOptional(),
  limits: limits.exactOptional(),
})

const batch = z.strictObject({
  line: z.literal('batch'),
  id,
  job: text,
  tenant: text,
  keepMs: moment,
  failedMax: count.exactOptional(),
  fingerprint: text.exactOptional(),
  end: last.exactOptional(),
  createdAt: moment,
  filledAt: moment,
  closedAt: moment.exactOptional(),
  endedAt: moment.exactOptional(),
  stopped: z.enum(STOPS).exactOptional(),
  items: count,
  completed: count,
  withErrors: count,
  failed: count,
  cancelled: count,
  erased: count,
  endings: count,
})

const end = z.strictObject({
  line: z.literal('end'),
  jobs: count,
  aliases: count,
  /** None in those of the first version. */
  words: count.exactOptional(),
  /** None in version 1. */
  entries: count.exactOptional(),
  /** None in those before batches could move. */
  batches: count.exactOptional(),
  /** Of all lines before this one, their ends included. */
  sha256: z.string(),
})

export const Line = z.discriminatedUnion('line', [head, job, alias, batch, word, entry, end])
export type Line = z.infer<typeof Line>
export type Head = z.infer<typeof head>
export type End = z.infer<typeof end>

export const writeLine = (line: Line): string => `${JSON.stringify(Line.encode(line))}\n`

/** The line these bytes spell; nothing when they spell none. */
export function readLine(given: Buffer): Line | undefined {
  try {
    return Line.decode(JSON.parse(given.toString()))
  } catch {
    return undefined
  }
}

function readBytes(given: string): Bytes {
  return Buffer.from(given, 'base64')
}

function toBase64({ buffer, byteOffset, byteLength }: Bytes): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

const KNOWN_MAX = 1000
const known = new Map<string, Bytes>()

function readShared(given: string): Bytes {
  const same = known.get(given) ?? readBytes(given)
  if (known.size >= KNOWN_MAX) known.clear()
  known.set(given, same)
  return same
}
