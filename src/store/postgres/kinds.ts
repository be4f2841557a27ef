import type { Bytes } from '../../base/json.ts'
import type { NewJob } from '../../job/job.ts'
import { blobs, hex, plain, readTexts, texts } from './arrays.ts'
import type { Connection } from './connection.ts'
import { int, text, toBytes } from './rows.ts'
import { lookText } from './statements.ts'

/** What all jobs of one definition share. Few, never changed: looked up here first. */
export type Kind = { name: string; queue: string; policy: Bytes }

export class Kinds {
  readonly #connection: Connection
  readonly #ids = new Map<string, number>()
  readonly #same = new WeakMap<Bytes, Map<string, number>>()
  readonly #kinds = new Map<number, Kind>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Makes known what these jobs share, before they are stored. */
  async learn(jobs: readonly NewJob[]): Promise<void> {
    const unknown = new Map(
      jobs.filter((job) => this.#find(job) === undefined).map((job) => [keyOf(job), job]),
    )
    if (unknown.size === 0) return
    const [names, queues, policies] = [[...unknown.values()]].flatMap((all) => [
      texts(all.map(({ job }) => job)),
      texts(all.map(({ queue }) => queue)),
      blobs(all.map(({ policy }) => policy)),
    ])
    const values = [names ?? '', queues ?? '', policies ?? '']
    const rows = await this.#connection.call('kinds', 'kinds', values)
    const ids = readTexts(text(Object.values(rows[0] ?? {})[0]))
    for (const [i, key] of [...unknown.keys()].entries()) this.#ids.set(key, int(ids[i]))
  }

  idOf(job: NewJob): number {
    return this.#find(job) ?? 0
  }

  /** Makes known what jobs on their way are. */
  async read(ids: readonly number[]): Promise<(id: number) => Kind> {
    const unknown = [...new Set(ids)].filter((id) => !this.#kinds.has(id))
    if (unknown.length > 0) {
      const rows = await this.#connection.look(lookText(this.#connection.schema, 'kinds'), [
        plain(unknown),
      ])
      for (const row of rows)
        this.#kinds.set(int(row.id), {
          name: text(row.name),
          queue: text(row.queue),
          policy: toBytes(row.policy),
        })
    }
    return (id) => this.#kinds.get(id) ?? { name: text(null), queue: '', policy: new Uint8Array() }
  }

  #find(job: NewJob): number | undefined {
    const label = `${job.queue}\0${job.job}`
    const same = this.#same.get(job.policy)
    const id = same?.get(label) ?? this.#ids.get(keyOf(job))
    if (id === undefined) return undefined
    if (same) same.set(label, id)
    else this.#same.set(job.policy, new Map([[label, id]]))
    return id
  }
}

const keyOf = ({ queue, job, policy }: NewJob): string => `${queue}\0${job}\0${hex(policy)}`
