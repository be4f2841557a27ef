import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Mode = { async: boolean; work_ms: number }
type Entry = {
  id: string
  mp_uuid: string
  client_id: string
  external_reference: string
  status: string
  /** While it works in its own time: when that is over. */
  busy_until: number
  created_at: string
}
export type NewEntry = Pick<Entry, 'mp_uuid' | 'client_id' | 'external_reference'>
type Row = Record<string, unknown> & { iban: string; currency: string }

const SCHEMA = `
  create table if not exists mass_payment (
    turn integer primary key,
    id text not null unique,
    mp_uuid text not null,
    client_id text not null,
    external_reference text not null,
    status text not null,
    busy_until integer not null default 0,
    created_at text not null
  ) strict;
  create index if not exists by_uuid on mass_payment (mp_uuid);
  create table if not exists payment (
    mass_payment text not null,
    row integer not null,
    body text not null,
    code text,
    primary key (mass_payment, row)
  ) strict, without rowid`

const DONE: Record<string, string> = { processing: 'processed', creating: 'created' }
const CURRENCIES = ['EUR', 'GBP', 'USD', 'CHF', 'AUD', 'CAD', 'PLN', 'SEK', 'NOK', 'DKK']
const REASONS: Record<string, string> = {
  INVALID_IBAN: 'the check digits of the IBAN are wrong',
  CURRENCY_NOT_SUPPORTED: 'this currency is not supported',
}

/** What the backend has. Two requests of one MP-UUID are two mass payments: it does not look. */
export class Books {
  readonly #database: DatabaseSync

  constructor(location: string) {
    if (location !== ':memory:') mkdirSync(dirname(location), { recursive: true, mode: 0o700 })
    this.#database = new DatabaseSync(location, { timeout: 5000 })
    this.#database.exec(SCHEMA)
  }

  add(entry: NewEntry, rows: readonly Row[], mode: Mode) {
    const id = randomUUID()
    const { mp_uuid, client_id, external_reference } = entry
    const now = Date.now()
    this.#database.exec('begin immediate')
    this.#database
      .prepare('insert into mass_payment values (null, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        id,
        mp_uuid,
        client_id,
        external_reference,
        mode.async ? 'processing' : 'processed',
        now + mode.work_ms,
        new Date(now).toISOString(),
      )
    const insert = this.#database.prepare('insert into payment values (?, ?, ?, ?)')
    for (const [i, row] of rows.entries()) insert.run(id, i + 1, JSON.stringify(row), codeOf(row))
    this.#database.exec('commit')
    return this.one(id)
  }

  one(id: string) {
    const row = this.#database.prepare('select * from mass_payment where id = ?').get(id)
    return row && this.#toView(row)
  }

  list({ mp_uuid, client_id, external_reference, page, page_size }: Record<string, unknown>) {
    const filter = `from mass_payment where client_id = ?
      and (?2 is null or mp_uuid = ?2) and (?3 is null or external_reference = ?3)`
    const given = [client_id, mp_uuid, external_reference].map((value) =>
      typeof value === 'string' ? value : null,
    )
    const total = Number(
      this.#database.prepare(`select count(*) as n ${filter}`).get(...given)?.['n'],
    )
    const rows = this.#database
      .prepare(`select * ${filter} order by turn desc limit ?4 offset ?5`)
      .all(...given, Number(page_size), (Number(page) - 1) * Number(page_size))
    return { data: rows.map((row) => this.#toView(row)), total }
  }

  /** Moves it on, if it stands where that may be done. */
  move(id: string, from: string, to: string, mode: Mode = { async: false, work_ms: 0 }): boolean {
    const { changes } = this.#database
      .prepare('update mass_payment set status = ?, busy_until = ? where id = ? and status = ?')
      .run(to, Date.now() + mode.work_ms, id, from)
    return changes > 0
  }

  rows(id: string, isRefused: boolean, { page, page_size }: Record<string, number>) {
    const filter = `from payment where mass_payment = ? and code is ${isRefused ? 'not' : ''} null`
    const total = Number(this.#database.prepare(`select count(*) as n ${filter}`).get(id)?.['n'])
    const data = this.#database
      .prepare(`select row, body, code ${filter} order by row limit ? offset ?`)
      .all(id, page_size ?? 20, ((page ?? 1) - 1) * (page_size ?? 20))
      .map(({ row, body, code }) => {
        const payment: Record<string, unknown> = JSON.parse(String(body))
        return isRefused
          ? { row, reference: payment['reference'], code, message: REASONS[String(code)] }
          : { row, ...payment }
      })
    return { data, total }
  }

  #toView(row: Record<string, unknown>) {
    const id = String(row['id'])
    const stored = String(row['status'])
    const isDone = Number(row['busy_until']) <= Date.now()
    const status = (isDone && DONE[stored]) || stored
    if (status !== stored) this.move(id, stored, status)
    const counted = this.#database
      .prepare(
        'select count(*) as received, count(code) as errored from payment where mass_payment = ?',
      )
      .get(id)
    const [received, errored] = [Number(counted?.['received']), Number(counted?.['errored'])]
    const processed = status === 'processing' ? 0 : received - errored
    return {
      id,
      mp_uuid: String(row['mp_uuid']),
      external_reference: String(row['external_reference']),
      status,
      counts: {
        received,
        processed,
        errored: status === 'processing' ? 0 : errored,
        created: status === 'created' ? processed : 0,
      },
      created_at: String(row['created_at']),
    }
  }
}

function codeOf({ iban, currency }: Row): string | null {
  if (!isIban(iban)) return 'INVALID_IBAN'
  return CURRENCIES.includes(currency) ? null : 'CURRENCY_NOT_SUPPORTED'
}

/** Letters as numbers from 10 on, the first four characters last: modulo 97 it is 1. */
function isIban(iban: string): boolean {
  const digits = `${iban.slice(4)}${iban.slice(0, 4)}`.replace(
    /[A-Z]/g,
    (letter) => `${letter.charCodeAt(0) - 55}`,
  )
  let rest = 0
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97
  return rest === 1
}
