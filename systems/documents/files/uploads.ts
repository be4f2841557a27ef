import { randomUUID } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { ErrandError } from 'errand'
import { atOnce } from '../database.ts'

/** A file that somebody gave us. Jobs carry its id only. */
export type Upload = {
  id: string
  name: string
  bytes: number
  at: number
  notify: string | undefined
}

const SCHEMA = `
  create table if not exists upload (
    id text primary key,
    name text not null,
    bytes integer not null,
    at integer not null,
    notify text
  ) strict;
  create table if not exists needed_upload (
    id text primary key,
    fence integer not null
  ) strict`

/** What is still needed by then is nobody's: whoever laid it down died before its task was taken in. */
const NEEDED_MAX_MS = 30 * 86_400_000

/** Ours in a folder that may hold others' files: an upload, or one that a crash cut off. */
const OURS = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?:(?:\.[\da-f-]{36})?\.part)?$/

/** Uploaded files: each by its id in a folder, and a row that says what it is. */
export class Uploads {
  readonly #database: DatabaseSync
  readonly #folder: string

  constructor(database: DatabaseSync, folder: string) {
    this.#database = database
    this.#folder = folder
    database.exec(SCHEMA)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /**
   * The file is there before anybody can find its row. What comes again under its id is not taken twice.
   * @returns whether it is new
   * @throws ErrandError ID_TAKEN when another file has that id
   */
  add({ id, name, notify }: Pick<Upload, 'id' | 'name' | 'notify'>, content: Uint8Array): boolean {
    const path = this.#path(id)
    const draft = `${path}.${randomUUID()}.part`
    if (!existsSync(path)) this.#layDown(draft, path, content)
    // Of two servers that are asked at once, one laid its file down.
    if (Buffer.compare(this.read(id), content) !== 0) throw new ErrandError('ID_TAKEN', { id })
    const isNew = this.find(id) === undefined && this.#enter({ id, name, notify }, content.length)
    const there = this.find(id)
    if (there?.name !== name || there.notify !== notify) throw new ErrandError('ID_TAKEN', { id })
    return isNew
  }

  /** @returns whether nobody was quicker */
  #enter({ id, name, notify }: Pick<Upload, 'id' | 'name' | 'notify'>, bytes: number): boolean {
    return atOnce(this.#database, () => {
      this.#need(id, 0)
      const { changes } = this.#database
        .prepare(
          'insert or ignore into upload (id, name, bytes, at, notify) values (?, ?, ?, ?, ?)',
        )
        .run(id, name, bytes, Date.now(), notify ?? null)
      return changes > 0
    })
  }

  /** Whole, unless one is there: a link, other than a rename, takes nobody's place. */
  #layDown(draft: string, path: string, content: Uint8Array): void {
    try {
      // On disk before its row says so.
      writeFileSync(draft, content, { mode: 0o600, flush: true })
      linkSync(draft, path)
    } catch (error) {
      if (!existsSync(path)) throw error
    } finally {
      rmSync(draft, { force: true })
    }
  }

  /** Its task runs, or will: until that has ended it is not cleaned up. */
  needed(id: string, fence: number): void {
    if (this.find(id)) this.#need(id, fence)
  }

  /** Heard late, it says nothing of a task that was given another life. */
  ended(id: string, fence: number): void {
    this.#database.prepare('delete from needed_upload where id = ? and fence <= ?').run(id, fence)
  }

  find(id: string): Upload | undefined {
    const row = this.#database.prepare('select * from upload where id = ?').get(id)
    if (row === undefined) return undefined
    return {
      id,
      name: String(row.name),
      bytes: Number(row.bytes),
      at: Number(row.at),
      notify: typeof row.notify === 'string' ? row.notify : undefined,
    }
  }

  read(id: string): Uint8Array {
    return readFileSync(this.#path(id))
  }

  remove(id: string): void {
    rmSync(this.#path(id), { force: true })
    for (const table of ['needed_upload', 'upload'])
      this.#database.prepare(`delete from ${table} where id = ?`).run(id)
  }

  /**
   * Removes what came before a moment and is needed no more, and what a crash left without its row. To do it twice does
   * no harm.
   */
  removeBefore(moment: number): number {
    const old = this.#database
      .prepare(
        `select id from upload where at < ?
         and (at < ? or not exists (select 1 from needed_upload as n where n.id = upload.id))`,
      )
      .all(moment, moment - NEEDED_MAX_MS)
    const ids = new Set(old.map(({ id }) => String(id)))
    for (const id of ids) this.remove(id)
    return ids.size + this.#removeOrphans(moment)
  }

  #need(id: string, fence: number): void {
    this.#database
      .prepare(
        `insert into needed_upload (id, fence) values (?, ?)
         on conflict (id) do update set fence = max(fence, excluded.fence)`,
      )
      .run(id, fence)
  }

  #removeOrphans(moment: number): number {
    const orphans = readdirSync(this.#folder).filter((file) => {
      if (!OURS.test(file) || this.find(file) !== undefined) return false
      const { mtimeMs = moment } =
        statSync(join(this.#folder, file), { throwIfNoEntry: false }) ?? {}
      return mtimeMs < moment
    })
    for (const file of orphans) rmSync(join(this.#folder, file), { force: true })
    return orphans.length
  }

  #path(id: string): string {
    return join(this.#folder, id)
  }
}
