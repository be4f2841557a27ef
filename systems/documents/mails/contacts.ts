import type { DatabaseSync } from 'node:sqlite'
import { atOnce } from '../database.ts'

/** Somebody who is written to. Addresses lie here and nowhere else: jobs carry a contact's id only. */
export type Contact = { id: number; name: string; address: string; team: string }

/** What a list says of a contact: it may know of no teams. */
export type Told = Pick<Contact, 'name' | 'address'> & { team?: string | null | undefined }

const SCHEMA = `
  create table if not exists contact (
    id integer primary key,
    address text not null unique,
    name text not null,
    team text not null
  ) strict`

const TEAMS = ['Energy and Tenancy Unit', 'Ageing in Place Group', 'Supply and Land Unit']
const SEEDED = 500
/** As in every list that grew over the years, some are none. */
const UNFIT = new Map([
  [113, 'resident-113@'],
  [257, 'no address given'],
  [401, '@example.org'],
])

export class Contacts {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
    database.exec(SCHEMA)
    this.#fill()
  }

  find(id: number): Contact | undefined {
    const row = this.#database.prepare('select * from contact where id = ?').get(id)
    if (row === undefined) return undefined
    return { id, name: String(row.name), address: String(row.address), team: String(row.team) }
  }

  ids(most = -1): number[] {
    const rows = this.#database.prepare('select id from contact order by id limit ?').all(most)
    return rows.map(({ id }) => Number(id))
  }

  /** A contact is known by its address: to put one twice leaves one. Of a team that is not told nothing changes. */
  put({ name, address, team = null }: Told): void {
    this.#database
      .prepare(
        `insert into contact (address, name, team) values (?1, ?2, coalesce(?3, ''))
         on conflict (address) do update set name = excluded.name, team = coalesce(?3, team)`,
      )
      .run(address, name, team)
  }

  get count(): number {
    return Number(this.#database.prepare('select count(*) as n from contact').get()?.n)
  }

  /** Ids are given, so two processes that fill at once leave one set of rows. */
  #fill(): void {
    if (this.#database.prepare('select 1 from contact').get()) return
    const add = this.#database.prepare('insert or ignore into contact values (?, ?, ?, ?)')
    atOnce(this.#database, () => {
      for (let id = 1; id <= SEEDED; id++) {
        const number = String(id).padStart(3, '0')
        const address = UNFIT.get(id) ?? `resident-${number}@example.org`
        add.run(id, address, `Resident ${number}`, TEAMS[id % TEAMS.length] ?? '')
      }
    })
  }
}
