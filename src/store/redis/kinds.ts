import { createHash } from 'node:crypto'
import type { Bytes } from '../../base/json.ts'
import { ErrandError } from '../../job/errors.ts'
import type { NewJob } from '../../job/job.ts'
import type { Connection } from './connection.ts'
import { Packer, toBuffer } from './pack.ts'
import { bufferOf, listOf } from './rows.ts'

export type Kind = { job: string; queue: string; policy: Bytes }
type Shared = Pick<NewJob, 'job' | 'queue' | 'policy'>

/**
 * Name, queue and policy are the same for all jobs of a definition: they are stored once, under eight
 * bytes of a hash over them, so that a kind that was lost with a server's last second comes back as the
 * same one.
 */
export class Kinds {
  readonly #connection: Connection
  /** By content, those known to be stored. */
  readonly #ids = new Map<string, Buffer>()
  readonly #same = new WeakMap<Bytes, { job: string; queue: string; id: Buffer }>()
  readonly #kinds = new Map<string, Kind>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** What these jobs are of, each in its place; stored first where it may not be there yet. */
  async idsOf(jobs: readonly Shared[]): Promise<Buffer[]> {
    const missing = jobs.filter((job) => this.#known(job) === undefined)
    for (const job of missing) if (this.#known(job) === undefined) await this.#store(job)
    return jobs.map((job) => this.#known(job) ?? Buffer.alloc(8))
  }

  /** All at once where all are known, which is nearly always. */
  known(jobs: readonly Shared[]): Buffer[] | undefined {
    const ids: Buffer[] = []
    for (const job of jobs) {
      const id = this.#known(job)
      if (id === undefined) return undefined
      ids.push(id)
    }
    return ids
  }

  /** The server knows less than was thought. */
  forget(jobs: readonly Shared[]): void {
    for (const job of jobs) {
      this.#ids.delete(keyOf(job))
      this.#same.delete(job.policy)
    }
  }

  kind(id: string): Kind | undefined {
    return this.#kinds.get(id)
  }

  async load(ids: readonly string[]): Promise<void> {
    const names = ids.map((id) => Buffer.from(id, 'latin1'))
    const contents = listOf(
      await this.#connection.ask('HMGET', this.#connection.keys.kinds, ...names),
    )
    for (const [i, id] of ids.entries()) this.#kinds.set(id, readContent(bufferOf(contents[i])))
  }

  #known(job: Shared): Buffer | undefined {
    const same = this.#same.get(job.policy)
    if (same !== undefined && same.job === job.job && same.queue === job.queue) return same.id
    const id = this.#ids.get(keyOf(job))
    if (id !== undefined) this.#same.set(job.policy, { job: job.job, queue: job.queue, id })
    return id
  }

  async #store(shared: Shared): Promise<void> {
    const content = new Packer().text(shared.job).text(shared.queue).bytes(shared.policy).done()
    const id = createHash('sha256').update(content).digest().subarray(0, 8)
    const stored = await this.#connection.call('kind', [id, content, shared.queue], {
      again: true,
    })
    if (stored !== 1)
      throw new ErrandError('STORE_FAILED', { why: 'two kinds of jobs have the same hash' })
    this.#ids.set(keyOf(shared), id)
  }
}

const keyOf = ({ job, queue, policy }: Shared): string =>
  `${job}\0${queue}\0${toBuffer(policy).toString('latin1')}`

function readContent(content: Buffer): Kind {
  const names = content.readUInt16BE(0)
  const queue = 2 + names
  const policy = queue + 2 + content.readUInt16BE(queue)
  return {
    job: content.toString('utf8', 2, queue),
    queue: content.toString('utf8', queue + 2, policy),
    policy: content.subarray(policy),
  }
}
