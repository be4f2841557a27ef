import type { DatabaseSync } from 'node:sqlite'
import { atOnce, openDatabase } from './database.ts'
import { seed } from './seed.ts'

/** A project document, as this system keeps it. Nothing of it lies in Errand's store but its id. */
export type ProjectDocument = {
  id: number
  reference: string
  title: string
  project: string
  team: string
  region: string
  version: string
  updatedAt: string
  summary: string
  sections: Section[]
  /** A mark that other programs read: a job makes its PDF just now. */
  inProgress: boolean
  /** The job last asked for. */
  taskId: string | undefined
  /** The job that made the PDF that is there now. */
  pdfTaskId: string | undefined
}

export type Section = { heading: string; paragraphs: string[] }
export type NewDocument = Omit<ProjectDocument, 'id' | 'inProgress' | 'taskId' | 'pdfTaskId'>

export const pdfName = ({ reference }: ProjectDocument) => `${reference}.pdf`

const SCHEMA = `
  create table if not exists document (
    id integer primary key,
    text text not null,
    task_id text,
    pdf_task_id text
  ) strict;
  create table if not exists progress (
    document_id integer primary key,
    task_id text,
    ended_id text,
    ended_fence integer not null default 0
  ) strict`

const SELECT = `
  select document.*, progress.task_id is not null as in_progress
  from document left join progress on progress.document_id = document.id`

/** The system's own database, beside Errand's store: its records and which job made their PDF. */
export class Documents implements Disposable {
  readonly #database: DatabaseSync

  constructor(location: string, waitMs?: number) {
    this.#database = openDatabase(location, waitMs)
    this.#database.exec(SCHEMA)
    this.#fill()
  }

  list(): ProjectDocument[] {
    return this.#database.prepare(`${SELECT} order by document.id`).all().map(toDocument)
  }

  find(id: number): ProjectDocument | undefined {
    const row = this.#database.prepare(`${SELECT} where document.id = ?`).get(id)
    return row && toDocument(row)
  }

  /** Remembers the job that was asked for. */
  requested(id: number, taskId: string): void {
    this.#database.prepare('update document set task_id = ? where id = ?').run(taskId, id)
  }

  /** Remembers the job whose file is the document's PDF. A repeated attempt writes the same. */
  generated(id: number, taskId: string): void {
    this.#database.prepare('update document set pdf_task_id = ? where id = ?').run(taskId, id)
  }

  /**
   * Marks a document as in progress, unless that run has ended by now: who asks and who works may be
   * slower than the end, and a later life of the same job has a higher fence.
   */
  started(id: number, taskId: string, fence = 0): void {
    this.#database
      .prepare(
        `insert into progress (document_id, task_id) values (?, ?)
         on conflict (document_id) do update set task_id = excluded.task_id
         where ended_id is not excluded.task_id or ended_fence < ?`,
      )
      .run(id, taskId, fence)
  }

  /** Takes the mark off, if it is still this job's. To be told twice changes nothing. */
  ended(id: number, taskId: string, fence: number): void {
    this.#database
      .prepare(
        `insert into progress (document_id, ended_id, ended_fence) values (?, ?, ?)
         on conflict (document_id) do update set
           ended_id = excluded.ended_id, ended_fence = excluded.ended_fence,
           task_id = nullif(task_id, excluded.ended_id)`,
      )
      .run(id, taskId, fence)
  }

  /** Marks it again whose job was given another life, unless that has ended by now as well: `ended` says how it stood before. */
  resumed(taskId: string, ended: number | undefined): void {
    this.#database
      .prepare('update progress set task_id = ended_id where ended_id = ? and ended_fence = ?')
      .run(taskId, ended ?? null)
  }

  /** Under which fence a job ended last, as far as is known here. */
  endedUnder(taskId: string): number | undefined {
    const row = this.#database
      .prepare('select ended_fence from progress where ended_id = ?')
      .get(taskId)
    return row && Number(row['ended_fence'])
  }

  /** Takes the mark off whose job was called off before it began. */
  withdrawn(taskId: string): void {
    this.#database
      .prepare(
        'update progress set ended_id = task_id, ended_fence = 0, task_id = null where task_id = ?',
      )
      .run(taskId)
  }

  remove(id: number): void {
    this.#database.prepare('delete from document where id = ?').run(id)
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  /** Ids are given, so two processes that fill at once leave one set of rows. */
  #fill(): void {
    if (this.#database.prepare('select 1 from document').get()) return
    const add = this.#database.prepare('insert or ignore into document (id, text) values (?, ?)')
    atOnce(this.#database, () => {
      for (const [i, document] of seed().entries()) add.run(i + 1, JSON.stringify(document))
    })
  }
}

/** Opens the database, and makes and fills it the first time. */
export const openDocuments = (location = '.errand/documents.db', waitMs?: number): Documents =>
  new Documents(location, waitMs)

function toDocument(row: Record<string, unknown>): ProjectDocument {
  const text: NewDocument = JSON.parse(String(row.text))
  return {
    id: Number(row.id),
    ...text,
    inProgress: row.in_progress === 1,
    taskId: textOf(row.task_id),
    pdfTaskId: textOf(row.pdf_task_id),
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)
