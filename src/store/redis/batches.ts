import type { Batch } from '../../job/batch.ts'
import type { JobId } from '../../job/job.ts'
import type { BatchChange, BatchPage } from '../contract.ts'
import { batchPage, type Arrived } from '../parts/batches.ts'
import { LOOKED_AT_MAX } from '../parts/paging.ts'
import { damaged, toStop } from '../parts/damage.ts'
import type { Connection } from './connection.ts'
import { packJob } from './jobs.ts'
import { idAt, number, Packer, packId } from './pack.ts'
import { bufferOf, hashOf, listOf } from './rows.ts'
import type { Argument } from './wire.ts'

const STEP = 100

/** What batches.lua is told beside what to do and the id. */
export function packChange(change: BatchChange, kinds: readonly Buffer[]): Argument[] {
  if (change.to === 'stopped') return [change.why]
  if (change.to === 'closed')
    return [change.failedMax === undefined ? '' : number(change.failedMax)]
  const { job, tenant, keepMs, failedMax, fingerprint, end } = change.batch
  const packer = new Packer()
  if (end) packJob(packer, end, kinds[0] ?? damaged())
  return [
    Buffer.concat(kinds),
    'job',
    job,
    'tenant',
    tenant,
    'keep',
    number(keepMs),
    ...(failedMax === undefined ? [] : ['max', number(failedMax)]),
    ...(fingerprint === undefined ? [] : ['print', fingerprint]),
    ...(end ? ['end', packer.done()] : []),
  ]
}

/** Batches, each in its place. */
export async function readBatches(
  ids: readonly JobId[],
  connection: Connection,
): Promise<(Batch | undefined)[]> {
  const replies = ids.map((id) => connection.ask('HGETALL', connection.keys.batch(packId(id))))
  const found = (await Promise.all(replies)).map(hashOf)
  return found.map((fields, i) => (fields.size > 0 ? toBatch(ids[i] ?? '', fields) : undefined))
}

/** The newest first, until there are more than were asked for, or enough were looked at. */
export async function listBatches(
  { tenant, limit, before }: { tenant: string | undefined; limit: number; before: number },
  connection: Connection,
): Promise<BatchPage> {
  const looked: Arrived[] = []
  let last = before
  for (let at = 0; at < LOOKED_AT_MAX; at += STEP) {
    const key = connection.keys.batches
    const range = [`(${last}`, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, STEP, 'WITHSCORES']
    const found = listOf(await connection.ask('ZRANGE', key, ...range)).map(bufferOf)
    const ids = found.flatMap((one, i) => (i % 2 === 0 ? [idAt(one, 0)] : []))
    last = Number(String(found.at(-1)))
    const batches = await readBatches(ids, connection)
    for (const [i, batch] of batches.entries())
      if (batch) looked.push({ turn: Number(String(found[2 * i + 1])), batch })
    const fitting = looked.filter(({ batch }) => tenant === undefined || batch.tenant === tenant)
    if (ids.length < STEP || fitting.length > limit) break
  }
  return batchPage(looked, { tenant, limit })
}

export function toBatch(id: JobId, fields: Map<string, Buffer>): Batch {
  const given = (field: string) => fields.get(field)?.toString()
  const count = (field: string) => Number(given(field) ?? damaged())
  const moment = <Name extends string>(name: Name, field: string): { [N in Name]?: number } => {
    const found: { [N in Name]?: number } = {}
    const value = given(field)
    if (value !== undefined) found[name] = Number(value)
    return found
  }
  const [stopped, fingerprint] = [given('stopped'), given('print')]
  return {
    id,
    job: given('job') ?? damaged(),
    tenant: given('tenant') ?? '',
    keepMs: count('keep'),
    createdAt: count('created'),
    filledAt: count('filled'),
    items: count('items'),
    completed: count('completed'),
    withErrors: count('warned'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    erased: count('erased'),
    endings: count('endings'),
    ...moment('closedAt', 'closed'),
    ...moment('endedAt', 'ended'),
    ...moment('failedMax', 'max'),
    ...(stopped !== undefined && { stopped: toStop(stopped) }),
    ...(fingerprint !== undefined && { fingerprint }),
  }
}
