import {
  type Change,
  DUE_MAX,
  type Entry,
  type Finding,
  type Kept,
  type Lookout,
  type Put,
} from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { packJob, toInserted } from './jobs.ts'
import { idAt, Packer } from './pack.ts'
import { bufferOf, hashOf, listOf } from './rows.ts'
import { fieldsOf, type Snapshot } from './snapshot.ts'

const EXPECTS = 1
const HAS_VALUE = 2
const NO_STAMP = '00000000-0000-0000-0000-000000000000'
const NOTHING = new Uint8Array()
/** A stamp and a moment. */
const HEAD = 22
/** What is said of each job. */
const ANSWER = 17

/** Writes changes as put.lua takes them; `kinds` are those of their jobs, in order. */
export function packChanges(changes: readonly Change[], kinds: readonly Buffer[]): Buffer {
  const packer = new Packer()
  let next = 0
  for (const { kind, name, stamp, expect, value, at = 0, jobs = [] } of changes) {
    packer.text(kind).text(name)
    packer.byte((expect === undefined ? 0 : EXPECTS) + (value === undefined ? 0 : HAS_VALUE))
    packer
      .id(stamp)
      .id(expect ?? NO_STAMP)
      .six(at)
    packer.long(value?.length ?? 0).bytes(value ?? NOTHING)
    packer.short(jobs.length)
    for (const job of jobs) packJob(packer, job, kinds[next++] ?? damaged())
  }
  return packer.done()
}

export function toPuts(changes: readonly Change[], answers: Buffer): Put[] {
  let at = 0
  return changes.map(({ jobs = [] }): Put => {
    const answer = String.fromCharCode(answers[at++] ?? 0)
    if (answer === 'c') return { refused: 'changed' }
    if (answer === 'f') return { refused: 'full' }
    const from = at
    at += ANSWER * jobs.length
    return { jobs: toInserted(answers.subarray(from, at), jobs.length) }
  })
}

type Which = Parameters<Lookout['entries']>[1]

/** What is to be looked at, as entries.lua takes it. */
export const packWhich = (which: Which): (string | number)[] =>
  which === undefined ? ['all'] : which === 'due' ? ['due', DUE_MAX] : ['name', which.name]

export function toKept(kind: string, which: Which, reply: unknown): Kept {
  const [now, next, found] = listOf(reply)
  const entries = [...hashOf(found)].map(([name, kept]) => toEntry(kind, name, kept))
  const nextAt = bufferOf(next)
  return {
    entries: which === 'due' ? entries : entries.toSorted(byName),
    now: bufferOf(now).readUIntBE(0, 6),
    ...(nextAt.length > 0 && { nextAt: nextAt.readUIntBE(0, 6) }),
  }
}

const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : 1)

function toEntry(kind: string, name: string, kept: Buffer): Entry {
  const at = kept.readUIntBE(16, 6)
  const entry = { kind, name, stamp: idAt(kept, 0), value: kept.subarray(HEAD) }
  return at > 0 ? { ...entry, at } : entry
}

/** Every entry is looked for when it says that it is wanted, and nothing else is. */
export function wantedOf({ entries: found }: Snapshot): Finding[] {
  const kinds = new Set([...found('entries').keys(), ...found('due').keys()])
  return [...kinds].flatMap((kind) => {
    const said = fieldsOf(found('entries').get(kind) ?? []).flatMap(([name, kept]) => {
      const at = kept.readUIntBE(16, 6)
      return at > 0 ? [`${name} ${at}`] : []
    })
    const due = fieldsOf(found('due').get(kind) ?? []).map(([name, at]) => `${name} ${String(at)}`)
    const wrong = [...new Set(said).symmetricDifference(new Set(due))]
    return wrong.map((detail) => ({ law: 'an entry is wanted when it says so', detail }))
  })
}
