import { type Batch, isOver } from '../../job/batch.ts'
import type { JobId } from '../../job/job.ts'
import { isEnded } from '../../job/state.ts'
import type { Finding } from '../contract.ts'
import { readBatches } from './batches.ts'
import type { Connection } from './connection.ts'
import { idAt } from './pack.ts'
import { readLimits } from './jobs.ts'
import { bufferOf, hashOf, listOf, readSections } from './rows.ts'
import type { Snapshot } from './snapshot.ts'
import type { Kept } from './verify.ts'

const STEP = 500

/** A batch, and in which sets it lies. */
type Standing = { id: JobId; batch: Batch | undefined; lies: string }

/** Every batch as it stands, in bounded steps. */
export async function takeBatches(connection: Connection): Promise<Standing[]> {
  const { keys } = connection
  const read = async (command: string, key: string, ...range: number[]) =>
    listOf(await connection.ask(command, key, ...range)).map((member) => idAt(bufferOf(member), 0))
  const all = await read('ZRANGE', keys.batches, 0, -1)
  const open = new Set(await read('ZRANGE', keys.batchesThat('open'), 0, -1))
  const stopped = new Set(await read('SMEMBERS', keys.batchesThat('stopped')))
  const ended = new Set(await read('ZRANGE', keys.batchesThat('purge'), 0, -1))
  const ids = [...new Set([...all, ...open, ...stopped, ...ended])]
  const standings: Standing[] = []
  for (let at = 0; at < ids.length; at += STEP) {
    const some = ids.slice(at, at + STEP)
    for (const [i, batch] of (await readBatches(some, connection)).entries()) {
      const id = some[i] ?? ''
      standings.push({ id, batch, lies: place(open.has(id), stopped.has(id), ended.has(id)) })
    }
  }
  return standings
}

const place = (open: boolean, stopped: boolean, ended: boolean): string =>
  [open && 'open', stopped && 'stopped', ended && 'ended'].filter(Boolean).join()

const placeOf = ({ closedAt, stopped, endedAt }: Batch): string =>
  place(
    closedAt === undefined,
    stopped !== undefined && endedAt === undefined,
    endedAt !== undefined,
  )

/** What batches say of their items; only of those that stood still meanwhile. Erased ones still count. */
export function batchesOf(
  kept: readonly Kept[],
  before: readonly Standing[],
  after: readonly Standing[],
): Finding[] {
  const known = new Map(after.map((one) => [one.id, JSON.stringify(one)]))
  const unmoved = before.filter((one) => known.get(one.id) === JSON.stringify(one))
  const still = unmoved.flatMap(({ batch }) => batch ?? [])
  const astray = unmoved.filter(({ batch, lies }) => !batch || lies !== placeOf(batch))
  const items = Map.groupBy(
    kept.flatMap(({ row, state }) => {
      const sections = readSections(row)
      const place = sections.get('b')
      return place ? [{ batch: idAt(place, 0), state, hasErrors: sections.has('W') }] : []
    }),
    ({ batch }) => batch,
  )
  const miscounted = still.filter((batch) => {
    const here = items.get(batch.id) ?? []
    const over = here.filter(({ state }) => isEnded(state))
    const ended = batch.completed + batch.failed + batch.cancelled
    const isShort = (['completed', 'failed', 'cancelled'] as const).some(
      (state) => batch[state] < over.filter((item) => item.state === state).length,
    )
    const warned = here.filter(({ hasErrors }) => hasErrors).length
    return (
      isShort ||
      batch.withErrors < warned ||
      batch.items - batch.erased !== here.length ||
      ended - batch.erased !== over.length
    )
  })
  const open = still.filter(
    (batch) => (batch.endedAt !== undefined) !== (batch.closedAt !== undefined && isOver(batch)),
  )
  const here = new Set(after.flatMap(({ id, batch }) => (batch ? [id] : [])))
  return [
    ...miscounted.map(({ id }) => ({ law: 'a batch counts its items', detail: id })),
    ...astray.map(({ id }) => ({ law: 'a batch lies where it stands', detail: id })),
    ...open.map(({ id }) => ({ law: 'a closed batch has ended when its items have', detail: id })),
    ...[...items.keys()]
      .filter((id) => !here.has(id))
      .map((id) => ({ law: 'every item has its batch', detail: id })),
  ].slice(0, 100)
}

/** What keys say of those that have a place, and of those that wait; as far as both stood still. */
export function keysOf(
  kept: readonly Kept[],
  { entries }: Snapshot,
  before: KeyCounts,
  after: KeyCounts,
): Finding[] {
  const held = new Set(
    [...entries('held').values()].flat().map((place) => place.toString('latin1', 6)),
  )
  const counted: KeyCounts = { places: new Map(), pending: new Map() }
  for (const { id, row, state } of kept) {
    const limits = readSections(row).get('l')
    if (limits === undefined || isEnded(state)) continue
    const isPlaced = state === 'running' || (state === 'ready' && !held.has(id))
    for (const { key, running, pending } of readLimits(limits)) {
      if (running !== undefined && isPlaced) add(counted.places, key)
      if (pending !== undefined && state !== 'running') add(counted.pending, key)
    }
  }
  return (['places', 'pending'] as const).flatMap((what) => {
    const keys = new Set([...before[what].keys(), ...counted[what].keys()])
    return [...keys]
      .filter((key) => before[what].get(key) === after[what].get(key))
      .filter((key) => (before[what].get(key) ?? 0) !== (counted[what].get(key) ?? 0))
      .map((key) => ({ law: 'a key counts the places it gave, and those that wait', detail: key }))
  })
}

export type KeyCounts = { places: Map<string, number>; pending: Map<string, number> }

export async function takeKeys(connection: Connection): Promise<KeyCounts> {
  const read = async (key: string) => {
    const fields = hashOf(await connection.ask('HGETALL', key))
    return new Map([...fields].map(([name, count]) => [name, Number(String(count))]))
  }
  const [places, pending] = await Promise.all([
    read(connection.keys.places),
    read(connection.keys.pending),
  ])
  return { places, pending }
}

const add = (counts: Map<string, number>, key: string): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1)
