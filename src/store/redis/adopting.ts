import type { Artifact, Attempt, LogLine, Step } from '../../job/job.ts'
import { LOG_LEVELS } from '../../job/job.ts'
import type { Adoptee, Alias } from '../../job/moving.ts'
import { STATES } from '../../job/state.ts'
import type { Adopted } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { packLimits, packPlace, uniqueKey } from './jobs.ts'
import { packLetter } from './mailing.ts'
import { Packer, packId } from './pack.ts'
import { NOBODY } from './rows.ts'
import { packDrops } from './settlements.ts'

const LIFE = 1
const ASKED = 4
const PLACED = 128
const NOTHING = Buffer.alloc(0)

const ADOPTED: readonly Adopted[] = ['adopted', 'already', 'behind', 'ID_TAKEN', 'UNIQUE_TAKEN']
export const toAdopted = (code: number): Adopted => ADOPTED[code] ?? damaged()

/** Writes jobs as adopt.lua takes them: rows as row.lua keeps them, then what each left. */
export function packAdoptees(jobs: readonly Adoptee[], kinds: readonly Buffer[]): Buffer {
  const packer = new Packer()
  for (const [i, job] of jobs.entries()) {
    packer.id(job.id).six(job.keptUntil ?? 0)
    const holes = Array.from({ length: 8 }, () => packer.hole())
    const parts = [
      () => packRow(packer, job, kinds[i] ?? damaged()),
      () => job.attempts.forEach((run) => packEntry(packer, () => packRun(packer, run))),
      () => job.log.forEach((line) => packEntry(packer, () => packLine(packer, line))),
      () => job.steps.forEach((step, n) => packStep(packer, step, n)),
      () => job.mail.forEach((letter, n) => packLetter(packer, letter, n)),
      () => packAwaits(packer, job.awaits),
      () => job.artifacts.forEach((file) => packFile(packer, file)),
      () => packer.bytes(packDrops(job.drops ?? {})),
    ]
    for (const [part, pack] of parts.entries()) {
      const from = packer.length
      pack()
      packer.fill(holes[part] ?? 0, from)
    }
  }
  return packer.done()
}

export function packAliases(aliases: readonly Alias[]): Buffer {
  const packer = new Packer()
  for (const { id, job, until, fingerprint } of aliases)
    packer.id(id).id(job).six(until).text(fingerprint)
  return packer.done()
}

function packRow(packer: Packer, job: Adoptee, kind: Buffer): void {
  packer
    .byte(STATES.indexOf(job.state))
    .byte(LIFE + (job.cancelAsked ? ASKED : 0) + (job.place ? PLACED : 0))
    .long(job.rev)
    .six(0)
    .six(job.runAt)
    .six(job.createdAt)
    .id(job.worker ?? NOBODY)
    .six(job.fence)
    .six(0)
    .six(job.startedAt ?? 0)
    .six(job.endedAt ?? 0)
    .byte(job.priority > 9 ? Number.NaN : job.priority)
    .bytes(kind)
    .text(job.tenant)
    .section('i', job.input)
  if (job.place) packPlace(packer, job.place)
  packSections(packer, job)
}

function packSections(packer: Packer, job: Adoptee): void {
  const { failures, crashes, losses, unique, tags } = job
  if (failures + crashes + losses > 0)
    packer.section('n', new Packer().long(failures).long(crashes).long(losses).done())
  if (job.expiresAt !== undefined) packer.sectionSix('x', job.expiresAt)
  if (job.deadlineAt !== undefined) packer.sectionSix('d', job.deadlineAt)
  if (unique) packer.sectionText('u', uniqueKey(job.tenant, job.job, unique.value))
  if (unique?.until === 'kept') packer.section('k', NOTHING)
  if (job.fingerprint !== undefined) packer.sectionText('p', job.fingerprint)
  if (tags.length > 0) {
    const packed = new Packer()
    for (const tag of new Set(tags)) packed.text(tag)
    packer.section('t', packed.done())
  }
  if (job.subject !== undefined) packer.section('s', packId(job.subject))
  if (job.parent)
    packer.section('c', Buffer.concat([packId(job.parent.id), Buffer.from(job.parent.name)]))
  if (job.limits) packer.section('l', packLimits(job.limits))
  if (job.waitingFor !== undefined) packer.sectionText('w', job.waitingFor)
  if (job.wakesAt !== undefined) packer.sectionSix('z', job.wakesAt)
  if (job.reason !== undefined) packer.sectionText('r', job.reason)
  if (job.error) packer.section('e', job.error)
  if (job.result) packer.section('R', job.result)
  if (job.withErrors) packer.section('W', NOTHING)
  if (job.progress) packer.section('P', job.progress)
}

function packEntry(packer: Packer, pack: () => void): void {
  const hole = packer.hole()
  const from = packer.length
  pack()
  packer.fill(hole, from)
}

/** As line.lua remembers one. */
function packRun(packer: Packer, run: Attempt): void {
  packer.six(run.fence).id(run.worker).six(run.startedAt).six(run.endedAt).text(run.outcome)
  packer.byte(run.error ? 1 : 0).bytes(run.error ?? NOTHING)
}

/** As notes.ts writes one. */
function packLine(packer: Packer, { at, fence, level, text }: LogLine): void {
  packer.six(at).six(fence).byte(LOG_LEVELS.indexOf(level)).bytes(Buffer.from(text))
}

/** As note.lua keeps one. */
function packStep(packer: Packer, { name, at, value }: Step, n: number): void {
  packer.text(name)
  packEntry(packer, () => packer.six(at).long(n).bytes(value))
}

function packAwaits(packer: Packer, { one, all }: Adoptee['awaits'] = { one: [], all: [] }): void {
  const said = [...one.map((name) => [name, '0']), ...all.map((name) => [name, '1'])] as const
  for (const [name = '', kind = ''] of said) {
    packer.text(name)
    packEntry(packer, () => packer.bytes(Buffer.from(kind)))
  }
}

function packFile(packer: Packer, { file, fence, expiresAt, bytes, type, sha256 }: Artifact): void {
  const packed = new Packer().six(fence).six(expiresAt).six(bytes).text(type).text(sha256).done()
  packer.text(file).short(packed.length).bytes(packed)
}
