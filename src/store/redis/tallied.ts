import { type Batch, isOver } from '../../job/batch.ts'
import { isEnded } from '../../job/state.ts'
import type { Finding } from '../contract.ts'
import { readBatches } from './batches.ts'
import type { Connection } from './connection.ts'
import { idAt } from './pack.ts'
import { bufferOf, listOf, readSections } from './rows.ts'
import type { Kept } from './verify.ts'

const STEP = 500

/** Every batch as it stands, in bounded steps. */
export async function takeBatches(connection: Connection): Promise<Batch[]> {
  const key = connection.keys.batches
  const members = listOf(await connection.ask('ZRANGE', key, 0, -1)).map(bufferOf)
  const batches: Batch[] = []
  for (let at = 0; at < members.length; at += STEP) {
    const ids = members.slice(at, at + STEP).map((member) => idAt(member, 0))
    batches.push(...(await readBatches(ids, connection)).flatMap((batch) => batch ?? []))
  }
  return batches
}

/** What batches say of their items; only of those that stood still meanwhile. Erased ones still count. */
export function batchesOf(
  kept: readonly Kept[],
  before: readonly Batch[],
  after: readonly Batch[],
): Finding[] {
  const known = new Map(after.map((batch) => [batch.id, JSON.stringify(batch)]))
  const still = before.filter((batch) => known.get(batch.id) === JSON.stringify(batch))
  const items = Map.groupBy(
    kept.flatMap(({ row, state }) => {
      const place = readSections(row).get('b')
      return place ? [{ batch: idAt(place, 0), state }] : []
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
    return (
      isShort || batch.items - batch.erased !== here.length || ended - batch.erased !== over.length
    )
  })
  const open = still.filter(
    (batch) => (batch.endedAt !== undefined) !== (batch.closedAt !== undefined && isOver(batch)),
  )
  const here = new Set(after.map(({ id }) => id))
  return [
    ...miscounted.map(({ id }) => ({ law: 'a batch counts its items', detail: id })),
    ...open.map(({ id }) => ({ law: 'a closed batch has ended when its items have', detail: id })),
    ...[...items.keys()]
      .filter((id) => !here.has(id))
      .map((id) => ({ law: 'every item has its batch', detail: id })),
  ].slice(0, 100)
}
