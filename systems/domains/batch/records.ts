import { createHash } from 'node:crypto'
import type { Transaction } from 'errand'

/** A batch as this system keeps it; what has become of its domains is Errand's to say. */
export type BatchRecord = {
  tenant: string
  batchId: string
  /** The id of its job and of its batch in Errand: the same for the same tenant and `batchId`. */
  id: string
  userId: string
  domains: readonly string[]
  maxPages: number
  maxConcurrent: number
  createdAt: number
  /** Since when Errand has a job for each of its domains. */
  handedAt?: number | undefined
  cancelledAt?: number | undefined
}

export type NewRecord = Omit<BatchRecord, 'handedAt' | 'cancelledAt'>
export type Key = Pick<BatchRecord, 'tenant' | 'batchId'>

/** Has the job of the record stored that is there, whoever brought it. */
export type Submit = (there: BatchRecord, tx?: Transaction) => Promise<unknown>

/** The system's own database. */
export interface Records extends AsyncDisposable {
  /**
   * Stores a record and has its job stored: both or neither, in one transaction where the two lie in one PostgreSQL.
   * Elsewhere the record comes first, and whoever finds one without its job (`waiting`) has it stored under the same id.
   * @returns the record that is there: this one, or an earlier one of its key, of which nothing is overwritten
   */
  add(record: NewRecord, submit: Submit): Promise<BatchRecord>
  find(key: Key): Promise<BatchRecord | undefined>
  /** The newest first. */
  list(tenant: string, limit: number): Promise<BatchRecord[]>
  /** Those older than this that have no jobs for their domains yet. */
  waiting(before: number): Promise<BatchRecord[]>
  /** Those that were cancelled since. */
  cancelled(since: number): Promise<BatchRecord[]>
  /** The oldest of those that are older than this. */
  old(before: number): Promise<BatchRecord[]>
  remove(id: string): Promise<void>
  handed(id: string): Promise<void>
  isCancelled(id: string): Promise<boolean>
  /** Marks it as cancelled, or takes the mark off. */
  cancel(id: string, at: number | undefined): Promise<void>
}

/** The UUIDv8 of a tenant's batch. */
export function idOf({ tenant, batchId }: Key): string {
  const hex = createHash('sha256').update(`${tenant.length}:${tenant}${batchId}`).digest('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`]
  return [...parts, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}

/** A record from a row: both databases have the same columns. */
export function toRecord(row: Record<string, unknown>): BatchRecord {
  const domains: string[] = JSON.parse(String(row['domains']))
  return {
    tenant: String(row['tenant']),
    batchId: String(row['batch_id']),
    id: String(row['id']),
    userId: String(row['user_id']),
    domains,
    maxPages: Number(row['max_pages']),
    maxConcurrent: Number(row['max_concurrent']),
    createdAt: Number(row['created_at']),
    handedAt: moment(row['handed_at']),
    cancelledAt: moment(row['cancelled_at']),
  }
}

const moment = (value: unknown) => (value === null ? undefined : Number(value))

export const SCHEMA = `
  create table if not exists domain_batch (
    tenant text not null,
    batch_id text not null,
    id text not null unique,
    user_id text not null,
    domains text not null,
    max_pages integer not null,
    max_concurrent integer not null,
    created_at bigint not null,
    handed_at bigint,
    cancelled_at bigint,
    primary key (tenant, batch_id)
  );
  create index if not exists domain_batch_waiting on domain_batch (created_at)
    where handed_at is null and cancelled_at is null;
  create index if not exists domain_batch_age on domain_batch (created_at);
  create index if not exists domain_batch_cancelled on domain_batch (cancelled_at) where cancelled_at is not null;`

/** So many are looked at in one go. */
export const SOME = 100

export const valuesOf = (record: NewRecord) => [
  record.tenant,
  record.batchId,
  record.id,
  record.userId,
  JSON.stringify(record.domains),
  record.maxPages,
  record.maxConcurrent,
  record.createdAt,
]
