import { Pool } from 'pg'
import { ErrandError } from '../../job/errors.ts'
import type { NewJob } from '../../job/job.ts'
import type { Inserted, Transaction } from '../contract.ts'
import type { Connection } from './connection.ts'
import { codeOf, toErrand } from './fault.ts'
import { toInserted, toNewJob } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { inSchema } from './statements.ts'

type Parts = { connection: Connection; kinds: Kinds }
type Row = { id: string | null; verdict: string | null }

/** Each value stands once and in order, and travels as text: some libraries count them, others guess types. */
const TEXT = `select id, verdict from errand.enlist(
  nullif($1::text, '')::bigint, $2::text::uuid, $3::text::boolean, $4::text::jsonb)`

/**
 * Stores jobs in a transaction of the caller's. Nothing in it is sent again: a statement that failed has
 * broken it. Kinds go ahead in a transaction of our own, so that it neither locks nor undoes them.
 * @throws ErrandError INVALID_OPTION, STORE_CLOSED, STORE_CHANGED, STORE_BUSY, STORE_FAILED, …
 */
export async function enlist(
  jobs: readonly NewJob[],
  tx: Transaction,
  { connection, kinds }: Parts,
): Promise<Inserted[]> {
  if (tx instanceof Pool)
    throw new ErrandError('INVALID_OPTION', {
      option: 'tx',
      problem: 'needs the client that began your transaction, not a pool of them',
    })
  // It would keep everybody else from the keys for as long as the transaction lasts.
  if (jobs.some(({ limits }) => limits !== undefined))
    throw new ErrandError('INVALID_OPTION', {
      option: 'tx',
      problem: 'cannot stand beside limits',
    })
  const { identity, schema, now } = connection
  const text = inSchema(schema, TEXT)
  const given = JSON.stringify(jobs.map((job) => toNewJob(job, kinds)))
  const ask = (isSure: boolean) =>
    send(tx, text, [now === null ? '' : `${now}`, identity, `${isSure}`, given])

  let rows = await ask(false)
  if (rows[0]?.verdict === 'unlearnt') {
    await connection.call('insert', 'learn', [JSON.stringify(kinds.of(jobs))], { again: true })
    rows = await ask(true)
  }
  if (rows[0]?.verdict === 'other')
    throw new ErrandError('STORE_CHANGED', { why: 'the transaction is of another database' })
  if (rows.length !== jobs.length)
    throw new ErrandError('STORE_FAILED', { why: 'rows are missing' })
  return rows.map(({ id, verdict }) => toInserted({ id, verdict }))
}

async function send(tx: Transaction, text: string, values: string[]): Promise<Row[]> {
  try {
    const { rows } = await tx.query(text, values)
    return Array.isArray(rows) ? rows.map(toRow) : misshapen()
  } catch (error) {
    throw explain(error)
  }
}

const toRow = (row: unknown): Row => ({ id: textIn(row, 'id'), verdict: textIn(row, 'verdict') })

function textIn(row: unknown, column: string): string | null {
  const value: unknown =
    typeof row === 'object' && row !== null ? Reflect.get(row, column) : undefined
  return value === null || typeof value === 'string' ? value : misshapen()
}

function misshapen(): never {
  throw new ErrandError('STORE_FAILED', {
    why: 'query() of the transaction answers no { rows } of objects',
  })
}

/** What the server says most often of a transaction that is not fit for this. */
const REASONS: Record<string, string> = {
  '42501': 'the role of the transaction has no rights here; docs/operations.md has the grants',
  '3F000': 'the transaction is of a database without our schema',
  '42883': 'the transaction is of a database without our functions',
  '25P02': 'the transaction had failed before',
  '25006': 'the transaction is read-only',
}

/** Libraries wrap what the server threw: the innermost error with a code tells. The outermost is kept. */
function explain(error: unknown): unknown {
  if (error instanceof ErrandError) return error
  const said = codedIn(error)
  const code = codeOf(said)
  const ours = REASONS[code] === undefined ? toErrand(said) : undefined
  if (ours instanceof ErrandError && ours.code !== 'STORE_FAILED')
    return new ErrandError(ours.code, ours.details, { cause: error })
  const why = REASONS[code] ?? `the transaction failed${code === '' ? '' : ` (${code})`}`
  return new ErrandError('STORE_FAILED', { why }, { cause: error })
}

const CHAIN_MAX = 5

function codedIn(error: unknown): unknown {
  let coded = error
  for (let one = error, i = 0; one instanceof Error && i < CHAIN_MAX; one = one.cause, i++)
    if (codeOf(one) !== '') coded = one
  return coded
}
