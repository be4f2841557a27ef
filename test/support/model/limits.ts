import assert from 'node:assert/strict'
import type { JobId, Limit, NewJob } from '../../../src/job/job.ts'
import type { Ledger } from './ledger.ts'
import { lives, type Row } from './row.ts'

const runningOf = ({ given: { limits = [] } }: Row) =>
  limits.flatMap(({ key, running }) => (running === undefined ? [] : [{ key, running }]))
const needsPlace = (row: Row): boolean => runningOf(row).length > 0

/** Whether nothing but its turn stands before it. */
export const mayLeave = (row: Row): boolean => row.hasPlace || !needsPlace(row)

/** The first key of a job of which as many wait as may. */
export function fullKey(ledger: Ledger, { limits = [] }: NewJob): Limit | undefined {
  const waits = [...ledger.jobs.values()].filter((row) => lives(row) && row.state !== 'running')
  const names = ({ given }: Row, key: string) =>
    given.limits?.some((limit) => limit.key === key && limit.pending !== undefined) === true
  return limits.find(
    ({ key, pending }) =>
      pending !== undefined && waits.filter((row) => names(row, key)).length >= pending,
  )
}

/**
 * Hands places on (C17). In which of its keys' lines a job of several waits, and which line is looked at first,
 * is the store's to choose: `chosen` says which key holds whom. In histories all jobs say the same of a key.
 */
export function admit(ledger: Ledger, chosen: ReadonlyMap<JobId, string>): void {
  const rows = [...ledger.jobs.values()].filter(needsPlace)
  for (const row of rows)
    if (row.state !== 'ready' && row.state !== 'running')
      Object.assign(row, { hasPlace: false, heldBy: undefined })
  const waiting = rows
    .filter(({ state, hasPlace }) => state === 'ready' && !hasPlace)
    .map((row) => ({ row, before: lineOf(row) }))
  for (const { row } of waiting) {
    row.heldBy = chosen.get(row.given.id)
    row.hasPlace = row.heldBy === undefined
  }
  const places = (key: string) =>
    rows.filter((row) => row.hasPlace && runningOf(row).some((limit) => limit.key === key)).length
  for (const row of rows)
    for (const { key, running } of runningOf(row))
      assert(places(key) <= running, `${places(key)} have a place of ${key}`)
  for (const { row } of waiting.filter(({ row }) => !row.hasPlace)) {
    const full = runningOf(row).filter(({ key, running }) => places(key) >= running)
    assert(
      full.some(({ key }) => key === row.heldBy),
      `${row.given.id} is held by ${row.heldBy}`,
    )
  }
  for (const { row, before } of waiting.filter(({ row }) => row.hasPlace))
    for (const other of waiting)
      if (other.before === before && other.row.heldBy === before && before !== undefined)
        assert(precedes(row, other.row), `${row.given.id} had its place first`)
}

/** Where a job stands before it is looked at, as far as that is determined. */
function lineOf(row: Row): string | undefined {
  const limits = runningOf(row)
  return row.heldBy ?? (limits.length === 1 ? limits[0]?.key : undefined)
}

const precedes = (one: Row, other: Row): boolean =>
  (one.given.priority - other.given.priority || one.runAt - other.runAt || one.turn - other.turn) <
  0
