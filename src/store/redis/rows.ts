import type { Artifact, Attempt, Claimed, Job, Subject } from '../../job/job.ts'
import { type State, STATES } from '../../job/state.ts'
import { encodeTally } from '../../job/batch.ts'
import { damaged, toReason } from '../parts/damage.ts'
import type { Kind } from './kinds.ts'
import { toBatch } from './batches.ts'
import { readLimits } from './jobs.ts'
import { idAt } from './pack.ts'

const LIFE = 1
const ASKED = 4
const TRAILS = 64
const HEAD = 24
const WITH_LIFE = 64
export const NOBODY = '00000000-0000-0000-0000-000000000000'

export const bufferOf = (reply: unknown): Buffer => (Buffer.isBuffer(reply) ? reply : damaged())
export const listOf = (reply: unknown): unknown[] => (Array.isArray(reply) ? reply : damaged())
export const numberOf = (reply: unknown): number => (typeof reply === 'number' ? reply : damaged())
/** Fields and values of a hash, one after the other. */
export function hashOf(reply: unknown): Map<string, Buffer> {
  const list = listOf(reply).map(bufferOf)
  const found = new Map<string, Buffer>()
  for (let i = 0; i + 1 < list.length; i += 2) found.set(String(list[i]), list[i + 1] ?? damaged())
  return found
}

const bodyAt = (row: Buffer): number => (((row[1] ?? 0) & LIFE) > 0 ? WITH_LIFE : HEAD)

/** Which kind a row is of, as the key of the cache. */
export function kindAt(row: Buffer): string {
  const at = bodyAt(row) + 1
  return row.toString('latin1', at, at + 8)
}

export const stateOf = (row: Buffer): State => STATES[row[0] ?? 7] ?? damaged()
export const turnOf = (row: Buffer): number => row.readUIntBE(6, 6)

/** The sections of a row by their letters, from `at` on. */
export function sectionsOf(row: Buffer, at: number): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  while (at < row.length) {
    const size = row.readUInt32BE(at + 1)
    found.set(String.fromCharCode(row[at] ?? 0), row.subarray(at + 5, at + 5 + size))
    at += 5 + size
  }
  return found
}

export function readSections(row: Buffer): Map<string, Buffer> {
  const at = bodyAt(row)
  return sectionsOf(row, at + 11 + row.readUInt16BE(at + 9))
}

const NONE = new Map<string, Buffer>()
/** What an item of a batch has beside its input, as a rule. */
const [PLACE, PLACE_SIZE] = ['b'.charCodeAt(0), 25]
const EMPTY = Buffer.alloc(0)

/** A row on its way to a worker. Most hold an input and a place at most: they are read without a map. */
export function toClaimed(
  id: string,
  row: Buffer,
  { job, queue, policy }: Kind,
): Omit<Claimed, 'subject'> {
  const at = bodyAt(row)
  const isRun = at === WITH_LIFE
  const size = row.readUInt16BE(at + 9)
  const from = at + 11 + size
  const upto = from + 5 + row.readUInt32BE(from + 1)
  const isItem = row.length === upto + PLACE_SIZE && row[upto] === PLACE
  const more = upto === row.length || isItem ? NONE : sectionsOf(row, from)
  const counts = more.get('n')
  const expiry = more.get('x')
  const deadline = more.get('d')
  const claimed: Omit<Claimed, 'subject'> = {
    id,
    fence: isRun ? row.readUIntBE(40, 6) : 0,
    job,
    queue,
    tenant: size === 0 ? '' : row.toString('utf8', at + 11, from),
    failures: counts?.readUInt32BE(0) ?? 0,
    crashes: counts?.readUInt32BE(4) ?? 0,
    losses: counts?.readUInt32BE(8) ?? 0,
    input: row.subarray(from + 5, upto),
    policy,
    createdAt: row.readUIntBE(18, 6),
    runAt: row.readUIntBE(12, 6),
  }
  if (expiry) claimed.expiresAt = expiry.readUIntBE(0, 6)
  if (deadline) claimed.deadlineAt = deadline.readUIntBE(0, 6)
  const parent = more.get('c')
  if (parent) claimed.parent = { id: idAt(parent, 0), name: parent.toString('utf8', 16) }
  const place = isItem ? row.subarray(upto + 5) : more.get('b')
  if (place) claimed.place = { batch: idAt(place, 0), index: place.readUInt32BE(16) }
  if (((row[1] ?? 0) & ASKED) > 0) claimed.cancelAsked = true
  return claimed
}

/** What follows a row on its way to a worker: only one with keys of its own can have any. */
export function followedBy(row: Buffer): { leavings: boolean; subject: boolean } {
  if (((row[1] ?? 0) & TRAILS) === 0) return { leavings: false, subject: false }
  const more = readSections(row)
  return { leavings: more.has('m') || !more.has('l'), subject: more.has('s') }
}

/** The row that a hook looks back on; of a batch its fields and values, none when it is gone. */
export function toSubject(reply: unknown): Subject {
  if (Array.isArray(reply))
    return { input: reply.length > 0 ? encodeTally(toBatch('', hashOf(reply))) : EMPTY }
  const row = bufferOf(reply)
  const more = readSections(row)
  const [result, error] = [more.get('R'), more.get('e')]
  return { input: more.get('i') ?? EMPTY, ...(result && { result }), ...(error && { error }) }
}

export function toJob(id: string, row: Buffer, kind: Kind, artifacts: readonly Artifact[]): Job {
  const more = readSections(row)
  const isRun = bodyAt(row) === WITH_LIFE
  const worker = isRun ? idAt(row, 24) : NOBODY
  const startedAt = isRun ? row.readUIntBE(52, 6) : 0
  const endedAt = isRun ? row.readUIntBE(58, 6) : 0
  const [waitingFor, unique, fingerprint, subject, reason] = ['w', 'u', 'p', 's', 'r'].map((code) =>
    more.get(code),
  )
  const [result, error, progress, wakesAt] = ['R', 'e', 'P', 'z'].map((code) => more.get(code))
  const [limits, heldBy] = [more.get('l'), more.get('h')]
  return {
    ...toClaimed(id, row, kind),
    turn: turnOf(row),
    state: stateOf(row),
    priority: row[bodyAt(row)] ?? damaged(),
    rev: row.readUInt32BE(2),
    withErrors: more.has('W'),
    cancelAsked: ((row[1] ?? 0) & ASKED) > 0,
    tags: textsIn(more.get('t')),
    artifacts,
    ...(worker !== NOBODY && { worker }),
    ...(startedAt > 0 && { startedAt }),
    ...(endedAt > 0 && { endedAt }),
    ...(reason && { reason: toReason(String(reason)) }),
    ...(waitingFor && { waitingFor: String(waitingFor) }),
    ...(wakesAt && { wakesAt: wakesAt.readUIntBE(0, 6) }),
    ...(limits && { limits: readLimits(limits) }),
    ...(heldBy && { heldBy: String(heldBy) }),
    ...(unique && { unique: String(unique).split('\0')[2] ?? '' }),
    ...(fingerprint && { fingerprint: String(fingerprint) }),
    ...(subject && { subject: idAt(subject, 0) }),
    ...(result && { result }),
    ...(error && { error }),
    ...(progress && { progress }),
  }
}

/** Texts, each after its length. */
export function textsIn(packed: Buffer = EMPTY): string[] {
  const texts: string[] = []
  let at = 0
  while (at < packed.length) {
    const upto = at + 2 + packed.readUInt16BE(at)
    texts.push(packed.toString('utf8', at + 2, upto))
    at = upto
  }
  return texts
}

export function toArtifact(file: string, packed: Buffer): Artifact {
  const [type = '', sha256 = ''] = textsIn(packed.subarray(18))
  return {
    file,
    fence: packed.readUIntBE(0, 6),
    type,
    bytes: packed.readUIntBE(12, 6),
    sha256,
    expiresAt: packed.readUIntBE(6, 6),
  }
}

/** The files of a job, as a hash of what is packed of each. */
export const toArtifacts = (files: unknown): Artifact[] =>
  [...hashOf(files)]
    .map(([file, packed]) => toArtifact(file, packed))
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))

export function toAttempt(packed: Buffer): Attempt {
  const upto = 36 + packed.readUInt16BE(34)
  return {
    fence: packed.readUIntBE(0, 6),
    worker: idAt(packed, 6),
    startedAt: packed.readUIntBE(22, 6),
    endedAt: packed.readUIntBE(28, 6),
    outcome: packed.toString('utf8', 36, upto),
    ...(packed[upto] === 1 && { error: packed.subarray(upto + 1) }),
  }
}
