import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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

export function openRecords({ database: at, uploads }: Pick<Settings, 'database' | 'uploads'>) {
  mkdirSync(dirname(at), { recursive: true, mode: 0o700 })
  // Server and executors share the file, so each waits for the other's commit.
  const database = new DatabaseSync(at, { timeout: 5000 })
  const records: Records = {
    uploads: new Uploads(database, uploads),
    contacts: new Contacts(database),
    mailings: new Mailings(database),
    imports: new Imports(database),
    [Symbol.dispose]: () => database.close(),
  }
  return records
}
