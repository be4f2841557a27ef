import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { Batch } from '../../job/batch.ts'
import type { JobId, NewJob } from '../../job/job.ts'
import type { Adoptee, Alias, BatchCopy } from '../../job/moving.ts'
import { type Ended, isEnded, type State, STATES } from '../../job/state.ts'
import type {
  Adopted,
  BatchChange,
  Cancel,
  Cancelled,
  Change,
  Filled,
  Erased,
  Inserted,
  Intake,
  Letter,
  Posted,
  Put,
  Retried,
  Transaction,
} from '../contract.ts'
import { ENTRIES_MAX, MAIL_MAX } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { jobsOf } from '../parts/entries.ts'
import { refuseTransaction } from '../parts/transaction.ts'
import { packAdoptees, packAliases, toAdopted } from './adopting.ts'
import { packChange, toBatch } from './batches.ts'
import { packChanges, toPuts } from './cabinet.ts'
import type { Connection } from './connection.ts'
import { wordOf } from './fault.ts'
import { packJob, toInserted } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { packBatches } from './moved.ts'
import { packLetters, packWord, toPosted } from './mailing.ts'
import { number, packId, Packer, packIds, toBuffer } from './pack.ts'
import { bufferOf, hashOf } from './rows.ts'
import { hold } from './taking.ts'

const CODES_MAX = 16
/** What one command may store. As in row.lua. */
const PLAIN_MAX = 1000

/** Where work comes in. */
export class RedisIntake implements Intake {
  readonly #connection: Connection
  readonly #kinds: Kinds

  constructor(connection: Connection, kinds: Kinds) {
    this.#connection = connection
    this.#kinds = kinds
  }

  async insert(jobs: readonly NewJob[], tx?: Transaction): Promise<Inserted[]> {
    refuseTransaction('Redis', tx)
    if (jobs.length === 0) return []
    const answers = bufferOf(await this.#send(jobs))
    if (answers.length === 0) return jobs.map(({ id }) => ({ id, joined: false }))
    return toInserted(answers, jobs.length)
  }

  async cancel(cancels: readonly Cancel[]): Promise<Cancelled[]> {
    const hooks = cancels.flatMap(({ outcome }) => outcome.hook ?? [])
    return withKinds(this.#kinds, hooks, async (kinds) => {
      const packer = new Packer()
      let next = 0
      for (const { id, outcome } of cancels) {
        packer.id(id).six(Math.max(0, outcome.keepMs))
        const hook = packer.hole()
        const word = packer.hole()
        const from = packer.length
        if (outcome.hook) packJob(packer, outcome.hook, kinds[next++] ?? damaged())
        packer.fill(hook, from)
        const more = packer.length
        if (outcome.word) packer.bytes(packWord(outcome.word))
        packer.fill(word, more)
      }
      const args = [packer.done(), Buffer.concat([...new Set(kinds)])]
      const answers = await this.#connection.call('cancel', args, { again: true })
      return Array.from(bufferOf(answers), (code) => CANCELLED[code] ?? stateAt(code))
    })
  }

  async retry(ids: readonly JobId[], input?: Bytes): Promise<Retried[]> {
    const args = [packIds(ids), ...(input === undefined ? [] : [toBuffer(input)])]
    const answers = await this.#connection.call('retry', args)
    return Array.from(bufferOf(answers), (code) => RETRIED[code] ?? stateAt(code))
  }

  async erase(ids: readonly JobId[]): Promise<Erased[]> {
    const answers = await this.#connection.call('erase', [packIds(ids)])
    return Array.from(bufferOf(answers), (code) => ERASED[code] ?? liveAt(code))
  }

  async audit(n: number, entry: Bytes): Promise<boolean> {
    return (await this.#connection.call('audit', ['add', number(n), toBuffer(entry)])) === 1
  }

  async post(letters: readonly Letter[]): Promise<Posted[]> {
    const args = [packLetters(letters), number(MAIL_MAX)]
    const answers = await this.#connection.call('post', args, { again: true })
    return Array.from(bufferOf(answers), toPosted)
  }

  async put(changes: readonly Change[]): Promise<Put[]> {
    return withKinds(this.#kinds, jobsOf(changes), async (kinds) => {
      const distinct = Buffer.concat([...new Set(kinds)])
      const args = [distinct, packChanges(changes, kinds), number(ENTRIES_MAX)]
      const answers = await this.#connection.call('put', args, { again: true })
      return toPuts(changes, bufferOf(answers))
    })
  }

  async adopt(
    jobs: readonly Adoptee[],
    aliases: readonly Alias[] = [],
    batches: readonly BatchCopy[] = [],
  ): Promise<Adopted[]> {
    const ends = batches.flatMap(({ end }) => end ?? [])
    return withKinds(this.#kinds, [...jobs, ...ends], async (kinds) => {
      const distinct = Buffer.concat([...new Set(kinds)])
      const args = [distinct, packAdoptees(jobs, kinds), packAliases(aliases)]
      args.push(packBatches(batches, kinds.slice(jobs.length)))
      const answers = await this.#connection.call('adopt', args, { again: true })
      return Array.from(bufferOf(answers), toAdopted)
    })
  }

  async changeBatch(id: JobId, change: BatchChange): Promise<Batch | undefined> {
    const end = change.to === 'open' && change.batch.end ? [change.batch.end] : []
    return withKinds(this.#kinds, end, async (kinds) => {
      const args = [change.to, packId(id), ...packChange(change, kinds)]
      const options = { as: 'changeBatch', again: true }
      const verb = change.to === 'open' ? 'batch' : 'batches'
      const fields = hashOf(await this.#connection.call(verb, args, options))
      return fields.size > 0 ? toBatch(id, fields) : undefined
    })
  }

  async fillBatch(id: JobId, items: readonly NewJob[]): Promise<Filled> {
    if (items.length === 0) return { inserted: [] }
    const answers = bufferOf(await this.#send(items, id))
    if (answers.length === 1) return { refused: String(answers) === 'g' ? 'gone' : 'closed' }
    if (answers.length === 0)
      return { inserted: items.map((item) => ({ id: item.id, joined: false })) }
    return {
      inserted: toInserted(answers, items.length),
    }
  }

  hold(limit: string, ms: Millis): Promise<Millis | undefined> {
    return hold(limit, ms, this.#connection)
  }

  async #send(jobs: readonly NewJob[], batch?: JobId): Promise<unknown> {
    return withKinds(this.#kinds, jobs, (kinds) => {
      const packer = new Packer()
      let areLike = jobs.length <= PLAIN_MAX
      const [first] = jobs
      for (const [i, job] of jobs.entries()) {
        const isPlain = packJob(packer, job, kinds[i] ?? damaged())
        areLike &&= isPlain && job.priority === first?.priority
      }
      const distinct = [...new Set(kinds)]
      areLike &&= distinct.length === 1 && new Set(jobs.map(({ id }) => id)).size === jobs.length
      const priority = areLike && first ? first.priority : ''
      const args = [Buffer.concat(distinct), packer.done(), priority]
      if (batch === undefined) return this.#connection.call('insert', args, { again: true })
      const options = { as: 'fillBatch', again: true }
      return this.#connection.call('insert', [...args, packId(batch)], options)
    })
  }
}

/** Runs what needs kinds, once more where the server turns out to have lost one with its last second. */
export async function withKinds<Reply>(
  kinds: Kinds,
  jobs: readonly Pick<NewJob, 'job' | 'queue' | 'policy'>[],
  send: (ids: Buffer[]) => Promise<Reply>,
): Promise<Reply> {
  try {
    return await send(kinds.known(jobs) ?? (await kinds.idsOf(jobs)))
  } catch (error) {
    if (wordOf(error) !== 'ERRAND_KIND') throw error
    kinds.forget(jobs)
    return send(await kinds.idsOf(jobs))
  }
}

const CANCELLED: Record<number, Cancelled> = { 99: 'cancelled', 97: 'asked', 103: 'gone' }
const RETRIED: Record<number, Retried> = { 114: 'retried', 103: 'gone', 116: 'taken' }

const ERASED: Record<number, Erased> = {
  101: 'erased',
  104: 'hooked',
  102: 'filling',
  103: 'gone',
}

const stateAt = (code: number) => (code < CODES_MAX ? STATES[code] : undefined) ?? damaged()

function liveAt(code: number): Exclude<State, Ended> {
  const state = stateAt(code)
  return isEnded(state) ? damaged() : state
}
