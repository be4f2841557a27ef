import type { NewJob } from '../../job/job.ts'
import { attemptOf, broughtBy, type NewArtifact, type Outcome } from '../../job/outcome.ts'
import type { Drops } from '../../job/keep.ts'
import { STATES } from '../../job/state.ts'
import type { Answer, Settlement } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { packJob } from './jobs.ts'
import { packWait, packWord } from './mailing.ts'
import { Packer } from './pack.ts'

const COUNTERS = { failures: 1, crashes: 2, losses: 3 } as const
const NOTHING = Buffer.alloc(0)

/** Writes settlements as settle.lua takes them. `kinds` are of the jobs they bring, in their order. */
export function packSettlements(
  settlements: readonly Settlement[],
  kinds: readonly Buffer[],
): Buffer {
  const packer = new Packer()
  let next = 0
  for (const { id, fence, outcome } of settlements) {
    const { to } = outcome
    const ms =
      'keepMs' in outcome
        ? Math.max(0, outcome.keepMs)
        : to === 'scheduled'
          ? Math.max(0, outcome.delayMs)
          : 0
    packer.id(id).six(fence).byte(STATES.indexOf(to)).six(ms)
    const left = packer.hole()
    const rare = packer.hole()
    const from = packer.length
    packLeavings(packer, outcome)
    packer.fill(left, from)
    const more = packer.length
    packRare(packer, outcome)
    const brought = broughtBy(outcome)
    if (brought.length > 0) packBrought(packer, brought, () => kinds[next++] ?? damaged())
    packer.fill(rare, more)
  }
  return packer.done()
}

function packLeavings(packer: Packer, outcome: Outcome): void {
  if ('error' in outcome) packer.section('e', outcome.error)
  if (outcome.to === 'failed') packer.sectionText('r', outcome.reason)
  if (outcome.to !== 'completed') return
  if (outcome.result) packer.section('R', outcome.result)
  if (outcome.withErrors) packer.section('W', NOTHING)
}

function packRare(packer: Packer, outcome: Outcome): void {
  const attempt = attemptOf(outcome)
  if (attempt !== undefined) packer.sectionText('a', attempt)
  if ('raise' in outcome && outcome.raise !== undefined)
    packer.section('c', Buffer.of(COUNTERS[outcome.raise]))
  if (outcome.to === 'ready' && outcome.begun) packer.section('b', NOTHING)
  if ('one' in outcome) packer.section('b', NOTHING).section('q', packWait(outcome))
  if ('word' in outcome && outcome.word) packer.section('m', packWord(outcome.word))
  if (outcome.to === 'completed' && outcome.drops) packer.section('d', packDrops(outcome.drops))
  if (outcome.to === 'completed' && outcome.artifacts.length > 0)
    packer.section('f', packFiles(outcome.artifacts))
}

/** For each a letter as the section of the row that goes, and a span or a moment. */
export function packDrops({ input, result }: Drops): Buffer {
  const packer = new Packer()
  if (input !== undefined) packer.bytes(Buffer.from('i')).six(input)
  if (result !== undefined) packer.bytes(Buffer.from('R')).six(result)
  return packer.done()
}

function packFiles(files: readonly NewArtifact[]): Buffer {
  const packer = new Packer()
  for (const { file, type, bytes, sha256, keepMs } of files) {
    packer.text(file).six(Math.max(0, keepMs))
    const rest = new Packer().six(bytes).text(type).text(sha256).done()
    packer.short(rest.length).bytes(rest)
  }
  return packer.done()
}

/** Jobs as a section: each row comes last in it, so its length is known only then. */
function packBrought(packer: Packer, jobs: readonly NewJob[], kind: () => Buffer): void {
  const packed = new Packer()
  for (const job of jobs) packJob(packed, job, kind())
  packer.section('h', packed.done())
}

const ANSWERS: Record<number, Answer> = { 100: 'done', 97: 'already', 115: 'stale', 103: 'gone' }

/** One letter each. */
export const answersIn = (letters: Buffer): Answer[] =>
  Array.from(letters, (letter) => ANSWERS[letter] ?? damaged())
