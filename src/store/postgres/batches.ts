import type { Batch } from '../../job/batch.ts'
import type { JobId, NewJob } from '../../job/job.ts'
import type { BatchChange, Filled, Inserted } from '../contract.ts'
import { plain } from './arrays.ts'
import type { Connection } from './connection.ts'
import { isPlain, namedValues, plainValues, toInserted, toNewJob } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { int, toBatch } from './rows.ts'

type Parts = { connection: Connection; kinds: Kinds }

export async function changeBatch(
  id: JobId,
  change: BatchChange,
  { connection, kinds }: Parts,
): Promise<Batch | undefined> {
  const end = change.to === 'open' ? change.batch.end : undefined
  const said = JSON.stringify(toChange(change, kinds))
  const values = [
    connection.now,
    connection.slot,
    id,
    said,
    JSON.stringify(kinds.of(end ? [end] : [])),
  ]
  const [row] = await connection.call('changeBatch', 'change_batch', values, { again: true })
  return row && toBatch(row)
}

export async function fillBatch(
  id: JobId,
  items: readonly NewJob[],
  { connection, kinds }: Parts,
): Promise<Filled> {
  const where = plain(items.map(({ place }) => place?.index))
  const rows = items.every(isPlain)
    ? await connection.call(
        'fillBatch',
        'fill',
        [...plainValues(items, { connection, kinds }), id, where],
        { again: true },
      )
    : await connection.call(
        'fillBatch',
        'fill_named',
        [
          ...namedValues(items, { connection, kinds }),
          id,
          plain(items.map((item) => item.id)),
          where,
        ],
        { again: true },
      )
  const inserted = items.map((item): Inserted => ({ id: item.id, joined: false }))
  for (const [i, row] of rows.entries()) {
    if (row.verdict === 'gone' || row.verdict === 'closed') return { refused: row.verdict }
    inserted[row.place ? int(row.place) - 1 : i] = toInserted(row)
  }
  return { inserted }
}

function toChange(change: BatchChange, kinds: Kinds) {
  if (change.to === 'stopped') return change
  if (change.to === 'closed') return { to: change.to, failed_max: change.failedMax }
  const { job, tenant, keepMs, failedMax, fingerprint, end } = change.batch
  const batch = { job, tenant, keep_ms: keepMs, failed_max: failedMax, fingerprint }
  return { to: change.to, batch: { ...batch, ...(end && { end: toNewJob(end, kinds) }) } }
}
