import type { Millis } from '../../base/time.ts'
import { type Change, DUE_MAX, type Entry, type Kept, type Lookout, type Put } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { hex } from './arrays.ts'
import type { Row, Values } from './connection.ts'
import { toInserted, toNewJob } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { int, text, toBytes } from './rows.ts'

/** Changes as put.sql takes them. */
export const toChanges = (changes: readonly Change[], kinds: Kinds): string =>
  JSON.stringify(
    changes.map(({ value, jobs = [], ...rest }) => ({
      ...rest,
      ...(value && { value: `\\x${hex(value)}` }),
      jobs: jobs.map((job) => toNewJob(job, kinds)),
    })),
  )

export const toPuts = (changes: readonly Change[], rows: readonly Row[]): Put[] =>
  changes.map(({ jobs = [] }, i): Put => {
    const { answer, jobs: said } = rows[i] ?? damaged()
    switch (answer) {
      case 'changed':
      case 'full':
      case 'busy':
        return { refused: answer }
      case 'repeated':
        return { jobs: jobs.map(({ id }) => ({ id, joined: false })) }
      case 'put': {
        const inserted: Row[] = JSON.parse(text(said))
        return { jobs: inserted.map((one) => toInserted(one)) }
      }
      default:
        return damaged()
    }
  })

type Which = Parameters<Lookout['entries']>[1]

export const whichLook = (kind: string, which: Which, now: Millis | null): [string, Values] =>
  which === undefined
    ? ['entries_all', [kind]]
    : which === 'due'
      ? ['entries_due', [kind, now, DUE_MAX]]
      : ['entries_named', [kind, which.name]]

export const toKept = ({ now, at = null }: Row = {}, rows: readonly Row[]): Kept => ({
  entries: rows.map(toEntry),
  now: int(now),
  ...(at !== null && { nextAt: int(at) }),
})

const toEntry = ({ kind, name, stamp, at = null, value }: Row): Entry => ({
  kind: text(kind),
  name: text(name),
  stamp: text(stamp),
  value: toBytes(value),
  ...(at !== null && { at: int(at) }),
})
