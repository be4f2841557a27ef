import type { Place } from '../../job/batch.ts'
import type { NewJob } from '../../job/job.ts'
import { Packer, packId } from './pack.ts'

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
  if (job.input.length > LARGE) packer.section('L', NOTHING)
}

const NOTHING = Buffer.alloc(0)

/** Texts hold no NUL, so that this tells all three apart. */
export const uniqueKey = (tenant: string, job: string, value: string): string =>
  `${tenant}\0${job}\0${value}`
