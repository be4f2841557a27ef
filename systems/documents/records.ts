import { openDatabase } from './database.ts'
import { Uploads } from './files/uploads.ts'
import { Imports } from './imports/imports.ts'
import { Contacts } from './mails/contacts.ts'
import { Mailings } from './mails/mailings.ts'
import type { Settings } from './settings.ts'

/** What this system remembers beside its documents: uploads, contacts, mailings, and rows that did not fit. */
export type Records = Disposable & {
  uploads: Uploads
  contacts: Contacts
  mailings: Mailings
  imports: Imports
}

export function openRecords(
  { database: at, uploads }: Pick<Settings, 'database' | 'uploads'>,
  waitMs?: number,
) {
  const database = openDatabase(at, waitMs)
  const records: Records = {
    uploads: new Uploads(database, uploads),
    contacts: new Contacts(database),
    mailings: new Mailings(database),
    imports: new Imports(database),
    [Symbol.dispose]: () => database.close(),
  }
  return records
}
