import { isEnded } from '../../job/state.ts'
import type { Finding } from '../contract.ts'
import { readSections, stateOf } from './rows.ts'
import { fieldsOf, type Snapshot } from './snapshot.ts'
import { broken, type Kept } from './verify.ts'

const HOLDS = 8

/** What a row says of itself. */
export function rowsOf(kept: readonly Kept[], snapshot: Snapshot): Finding[] {
  const listed = new Set<string>()
  for (const entry of [...snapshot.entries('ended').values()].flat())
    for (let at = 6; at < entry.length; at += 22)
      listed.add(`${entry.toString('latin1', 0, 6)}${entry.toString('latin1', at, at + 22)}`)
  const held = new Map(fieldsOf(snapshot.entries('unique').get('') ?? []))
  const where = (law: string, wrong: (job: Kept) => boolean) =>
    broken(
      law,
      kept.filter(wrong).map(({ id }) => id),
    )
  const endedAt = ({ life }: Kept) => life.toString('latin1', 34, 40)
  return [
    ...where('every body has its policy', ({ queue }) => queue === ''),
    ...where(
      'every ended job has a time to go',
      (job) =>
        isEnded(job.state) &&
        !listed.has(`${endedAt(job)}${job.row.toString('latin1', 6, 12)}${job.id}`),
    ),
    ...where(
      'an ended job has its time, and no other',
      (job) => isEnded(job.state) !== job.life.readUIntBE(34, 6) > 0,
    ),
    ...where(
      'a waiting job says for what, and no other',
      ({ row, state }) => (state === 'waiting') !== readSections(row).has('w'),
    ),
    ...where(
      'only a waiting job wakes',
      ({ row, state }) => state !== 'waiting' && readSections(row).has('z'),
    ),
    ...where('a job whose letter is there waits no more', ({ id, state }) => {
      const names = (snapshot.entries('mail').get(id) ?? []).map(
        (field) => field.toString('latin1', 1).split('\0')[0] ?? '',
      )
      const awaited = (snapshot.entries('awaits').get(id) ?? []).map((name) =>
        name.toString('latin1'),
      )
      return state === 'waiting' && awaited.some((name) => names.includes(name))
    }),
    ...where(
      'a running job has a worker',
      ({ state, life }) => state === 'running' && life.readUIntBE(0, 6) === 0,
    ),
    ...where(
      'only live and completed jobs hold a unique value',
      ({ row, state }) =>
        ((row[1] ?? 0) & HOLDS) > 0 && (state === 'failed' || state === 'cancelled'),
    ),
    ...where('a held value names its holder', ({ id, row }) => {
      const value = readSections(row).get('u')?.toString('latin1')
      const isNamed = value !== undefined && held.get(value)?.toString('latin1') === id
      return ((row[1] ?? 0) & HOLDS) > 0 !== isNamed
    }),
    ...where('a hook that may run has its subject', ({ row, state }) => {
      const subject = readSections(row).get('s')?.toString('latin1')
      const isThere =
        snapshot.rows.has(subject ?? '') || snapshot.entries('batch').has(subject ?? '')
      return subject !== undefined && state !== 'completed' && !isThere
    }),
  ]
}

export function leavingsOf(kept: readonly Kept[], { rows: stored, entries }: Snapshot): Finding[] {
  const left = (kind: string, ids: readonly string[]) =>
    broken(
      `what was left has its job: ${kind}`,
      ids.filter((id) => !stored.has(id)),
    )
  const files = [...entries('files').keys()]
  const tagged = [...entries('tag').values()].flat().map((id) => id.toString('latin1'))
  const fences = kept.filter(({ id, life }) =>
    (entries('attempts').get(id) ?? []).some(
      (attempt) => attempt.readUIntBE(0, 6) > life.readUIntBE(16, 6),
    ),
  )
  return [
    ...left('run', [...entries('attempts').keys()]),
    ...left('step', [...entries('steps').keys()]),
    ...left('letter', [...entries('mail').keys()]),
    ...left(
      'child',
      [...entries('children').values()].flat().map((id) => id.toString('latin1')),
    ),
    ...left('wait', [...entries('awaits').keys()]),
    ...left('log', [...entries('logs').keys()]),
    ...left('file', files),
    ...left('tag', tagged),
    ...broken(
      'only a completed job has files',
      files.filter((id) => {
        const row = stored.get(id)
        return row !== undefined && stateOf(row) !== 'completed'
      }),
    ),
    ...broken(
      'no run has a higher fence than its job',
      fences.map(({ id }) => id),
    ),
  ]
}
