import type { Place } from '../../job/batch.ts'
import type { Limit, NewJob } from '../../job/job.ts'
import type { Inserted } from '../contract.ts'
import { idAt, Packer, packId } from './pack.ts'

/** What a row takes in is copied whenever it changes; more than this lies beside it. As in row.lua. */
const LARGE = 1024

/**
 * Writes a job as insert.lua and arrive.lua take it: the row from its priority on, and what is rare.
 * Says whether it is plain: there is nothing rare about it.
 */
export function packJob(packer: Packer, job: NewJob, kind: Buffer): boolean {
  packer.id(job.id)
  const body = packer.hole()
  const spec = packer.hole()
  const from = packer.length
  packer.byte(digit(job.priority)).bytes(kind).text(job.tenant).section('i', job.input)
  if (job.place) packPlace(packer, job.place)
  packer.fill(body, from)
  const more = packer.length
  packSpec(packer, job)
  packer.fill(spec, more)
  return packer.length === more
}

/** The batch that an item is of, and where it stands in it. */
export const packPlace = (packer: Packer, { batch, index }: Place): Packer =>
  packer.byte(PLACE).long(PLACE_SIZE).id(batch).long(index)

const PLACE = 'b'.charCodeAt(0)
const PLACE_SIZE = 20

const UNBOUNDED = 0xffff_ffff

export function packLimits(limits: readonly Limit[]): Buffer {
  const packer = new Packer()
  for (const { key, running = UNBOUNDED, pending = UNBOUNDED } of limits)
    packer.text(key).long(running).long(pending)
  return packer.done()
}

export function readLimits(packed: Buffer): Limit[] {
  const limits: Limit[] = []
  for (let at = 0; at < packed.length;) {
    const upto = at + 2 + packed.readUInt16BE(at)
    const [running, pending] = [packed.readUInt32BE(upto), packed.readUInt32BE(upto + 4)]
    limits.push({
      key: packed.toString('utf8', at + 2, upto),
      ...(running !== UNBOUNDED && { running }),
      ...(pending !== UNBOUNDED && { pending }),
    })
    at = upto + 8
  }
  return limits
}

/** A priority beyond its ten would stand in a line that nobody looks at. */
const digit = (priority: number): number => (priority > 9 ? Number.NaN : priority)

function packSpec(packer: Packer, job: NewJob): void {
  const { unique, fingerprint, tags, subject, parent } = job
  if (job.delayMs !== undefined && job.delayMs !== 0)
    packer.sectionSix('T', Math.max(0, job.delayMs))
  if (job.runAt !== undefined) packer.sectionSix('A', Math.max(0, job.runAt))
  if (job.expiresInMs !== undefined) packer.sectionSix('X', job.expiresInMs)
  if (job.deadlineMs !== undefined) packer.sectionSix('D', job.deadlineMs)
  if (fingerprint !== undefined) packer.sectionText('p', fingerprint)
  if (subject !== undefined) packer.section('s', packId(subject))
  if (parent) packer.section('c', new Packer().id(parent.id).bytes(Buffer.from(parent.name)).done())
  if (unique) {
    packer.sectionText('u', uniqueKey(job.tenant, job.job, unique.value))
    if (unique.until === 'kept') packer.section('k', NOTHING)
    if (unique.onConflict === 'refuse') packer.section('F', NOTHING)
  }
  if (tags && tags.length > 0) {
    const packed = new Packer()
    for (const tag of new Set(tags)) packed.text(tag)
    packer.section('t', packed.done())
  }
  if (job.limits) packer.section('l', packLimits(job.limits))
  if (job.fair) packer.section('f', NOTHING)
  if (job.input.length > LARGE) packer.section('L', NOTHING)
}

const NOTHING = Buffer.alloc(0)

/** Texts hold no NUL, so that this tells all three apart. */
export const uniqueKey = (tenant: string, job: string, value: string): string =>
  `${tenant}\0${job}\0${value}`

const ANSWER = 17

/** What became of jobs: a byte and an id for each, as arrive.lua says it, then the keys of those that are full. */
export function toInserted(answers: Buffer, count: number): Inserted[] {
  let at = ANSWER * count
  return Array.from({ length: count }, (_, i): Inserted => {
    const [code, id] = [answers[ANSWER * i], idAt(answers, ANSWER * i + 1)]
    if (code === 2) return { id, refused: 'ID_TAKEN' }
    if (code === 3) return { id, refused: 'UNIQUE_TAKEN' }
    if (code === 4) return { id, refused: 'JOB_ERASED' }
    if (code !== 5) return { id, joined: code === 1 }
    const upto = at + 2 + answers.readUInt16BE(at)
    const key = answers.toString('utf8', at + 2, upto)
    at = upto
    return { id, refused: 'LIMIT_REACHED', key }
  })
}
