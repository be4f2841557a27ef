import { createHash } from 'node:crypto'
import type { Bytes } from '../../base/json.ts'
import type { NewJob } from '../../job/job.ts'
import { damaged } from '../parts/damage.ts'
import { hex, plain } from './arrays.ts'
import type { Connection } from './connection.ts'
import { text, toBytes } from './rows.ts'
import { lookText } from './statements.ts'

/** What all jobs of one definition share. */
export type Kind = { name: string; queue: string; policy: Bytes }
/** A kind as the server takes it. */
type Said = { id: string; name: string; queue: string; policy: string }
/** What says of a job which kind it is of. */
type Shared = Pick<NewJob, 'job' | 'queue' | 'policy'>

/** Kinds are stored with the jobs that are of them, under a hash; read once, and never changed. */
export class Kinds {
  readonly #connection: Connection
  readonly #said = new WeakMap<Bytes, Map<string, Said>>()
  readonly #kinds = new Map<string, Kind>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  idOf(job: Shared): string {
    return this.#say(job).id
  }

  /** The kinds of these jobs, each once: the server stores those it does not have. */
  of(jobs: readonly Shared[]): Said[] {
    return [...new Set(jobs.map((job) => this.#say(job)))]
  }

  /** Makes known what jobs on their way are. */
  async read(ids: readonly string[]): Promise<(id: string) => Kind> {
    const unknown = [...new Set(ids)].filter((id) => !this.#kinds.has(id))
    if (unknown.length > 0) {
      const look = lookText(this.#connection.schema, 'kinds')
      for (const row of await this.#connection.look(look, [plain(unknown)]))
        this.#kinds.set(text(row.id), {
          name: text(row.name),
          queue: text(row.queue),
          policy: toBytes(row.policy),
        })
    }
    return (id) => this.#kinds.get(id) ?? damaged()
  }

  #say({ job: name, queue, policy }: Shared): Said {
    const label = `${queue}\0${name}`
    const known = this.#said.get(policy) ?? new Map<string, Said>()
    this.#said.set(policy, known)
    const said = known.get(label) ?? say(name, queue, policy)
    known.set(label, said)
    return said
  }
}

function say(name: string, queue: string, policy: Bytes): Said {
  const digest = createHash('sha256').update(`${name}\0${queue}\0`).update(policy).digest()
  return { id: `${digest.readBigInt64BE()}`, name, queue, policy: `\\x${hex(policy)}` }
}
