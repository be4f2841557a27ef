import type { Bytes } from '../base/json.ts'
import type { Batch } from '../job/batch.ts'
import { ErrandError, hasCode, type Issue } from '../job/errors.ts'
import { ITEMS_MAX, type PreparedBatch } from '../job/items.ts'
import type { JobId, NewJob } from '../job/job.ts'
import type { Keyring } from '../job/seal.ts'
import { sealNew } from '../job/sealing.ts'
import type { Intake } from '../store/contract.ts'
import { Spool } from './spool.ts'

/** An item that could not be read, in its place: a line that is no JSON. */
export class Unreadable {
  readonly text: string
  readonly why: string

  constructor(text: string, why: string) {
    this.text = text
    this.why = why
  }
}

export type Items = Iterable<unknown> | AsyncIterable<unknown>

/** What a batch answers: its id, how many items it has, and which of them do not fit. */
export type BatchAccepted = {
  id: JobId
  /** It was accepted before under this id. */
  joined: boolean
  items: number
  /** How many items do not fit; they fail alone. */
  invalid: number
  /** The first of them: pointers begin with the item's place, counted from 0. */
  issues: readonly Issue[]
}

const CHUNK_ITEMS = 1000
const CHUNK_BYTES = 4_194_304
const ISSUES_MAX = 1000

type Sending = {
  store: Pick<Intake, 'changeBatch' | 'fillBatch'>
  keys: Keyring | undefined
  prepared: PreparedBatch
}

/** Sends the items of one batch on their way, in constant memory. */
export class BatchSender {
  readonly #store
  readonly #keys
  readonly #prepared: PreparedBatch
  readonly #issues: Issue[] = []
  #invalid = 0
  #chunk: NewJob[] = []
  #bytes = 0

  constructor({ store, keys, prepared }: Sending) {
    this.#store = store
    this.#keys = keys
    this.#prepared = prepared
  }

  /** @throws ErrandError ID_TAKEN, INVALID_ITEMS, INVALID_OPTION, BATCH_CLOSED, STORE_BUSY and its kin */
  async send(items: Items): Promise<Omit<BatchAccepted, 'joined'>> {
    const count = await (this.#prepared.invalid === 'refuse'
      ? this.#check(items)
      : this.#stream(items))
    await this.#flush()
    const { id, items: stored } = await this.#close(count)
    return { id, items: stored, invalid: this.#invalid, issues: this.#issues }
  }

  /** All are looked at before any is stored: what fits waits in a file. */
  async #check(items: Items): Promise<number> {
    await using spool = new Spool()
    let count = 0
    for await (const input of items) {
      const job = await this.#read(this.#next(count++), input)
      if (job) await spool.add(lay(job))
    }
    this.#needSome(count)
    if (this.#invalid > 0)
      throw new ErrandError('INVALID_ITEMS', { count: this.#invalid }, { issues: this.#issues })
    await this.#open()
    let index = 0
    for await (const input of spool.records()) await this.#add(this.#again(index++, input))
    return count
  }

  async #stream(items: Items): Promise<number> {
    let count = 0
    for await (const input of items) {
      if (count === 0) await this.#open()
      const index = this.#next(count++)
      const misfit = () =>
        this.#prepared.misfit(index, input instanceof Unreadable ? input.text : input)
      await this.#add((await this.#read(index, input)) ?? sealNew(misfit(), this.#keys))
    }
    this.#needSome(count)
    return count
  }

  /** The job of an item, or nothing and what is wrong with it. */
  async #read(index: number, input: unknown): Promise<NewJob | undefined> {
    try {
      if (input instanceof Unreadable) throw input
      return sealNew(await this.#prepared.item(index, input), this.#keys)
    } catch (error) {
      const issues = issuesOf(error)
      if (issues === undefined) throw error
      this.#invalid++
      for (const { pointer, ...issue } of issues)
        if (this.#issues.length < ISSUES_MAX)
          this.#issues.push({ pointer: `/${index}${pointer}`, ...issue })
      return undefined
    }
  }

  /** Of one that was found to fit only what is its own went into the file: the rest is the same for all. */
  #again(index: number, record: Bytes): NewJob {
    return { ...this.#prepared.misfit(index, null), ...takeUp(record) }
  }

  async #add(job: NewJob): Promise<void> {
    this.#chunk.push(job)
    this.#bytes += job.input.length
    if (this.#chunk.length >= CHUNK_ITEMS || this.#bytes >= CHUNK_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    const chunk = this.#chunk
    if (chunk.length === 0) return
    this.#chunk = []
    this.#bytes = 0
    const { id } = this.#prepared.batch
    const filled = await this.#store.fillBatch(id, chunk)
    if ('refused' in filled)
      throw new ErrandError(filled.refused === 'gone' ? 'BATCH_NOT_FOUND' : 'BATCH_CLOSED', { id })
  }

  async #open(): Promise<void> {
    const { batch } = this.#prepared
    const opened = await this.#store.changeBatch(batch.id, { to: 'open', batch })
    if (opened?.fingerprint !== batch.fingerprint)
      throw new ErrandError('ID_TAKEN', { id: batch.id })
  }

  async #close(count: number): Promise<Batch> {
    const { batch, failedShare } = this.#prepared
    const closed = await this.#store.changeBatch(batch.id, {
      to: 'closed',
      ...(failedShare !== undefined && { failedMax: Math.floor(failedShare * count) }),
    })
    if (closed === undefined) throw new ErrandError('BATCH_NOT_FOUND', { id: batch.id })
    return closed
  }

  #next(count: number): number {
    if (count < ITEMS_MAX) return count
    throw new ErrandError('INVALID_OPTION', {
      option: 'items',
      problem: `takes at most ${ITEMS_MAX}`,
    })
  }

  #needSome(count: number): void {
    if (count === 0)
      throw new ErrandError('INVALID_OPTION', { option: 'items', problem: 'needs at least one' })
  }
}

const LENGTH = 4

/** What an item has of its own: limits, whose keys may be made of its input, and that. */
function lay({ input, limits }: NewJob): Bytes {
  const made = Buffer.from(limits === undefined ? '' : JSON.stringify(limits))
  const length = Buffer.alloc(LENGTH)
  length.writeUInt32BE(made.length)
  return Buffer.concat([length, made, input])
}

function takeUp(record: Bytes): Pick<NewJob, 'input' | 'limits'> {
  const bytes = Buffer.from(record)
  const upto = LENGTH + bytes.readUInt32BE(0)
  return {
    input: bytes.subarray(upto),
    ...(upto > LENGTH && { limits: JSON.parse(bytes.toString('utf8', LENGTH, upto)) }),
  }
}

/** What is wrong with an item; nothing where something else went wrong. */
function issuesOf(error: unknown): readonly Issue[] | undefined {
  if (error instanceof Unreadable) return [{ pointer: '', code: 'not_json', detail: error.why }]
  if (hasCode(error, 'INVALID_INPUT')) return error.issues
  if (hasCode(error, 'UNSTORABLE_INPUT'))
    return [
      { pointer: `${error.details.pointer}`, code: `${error.details.why}`, detail: error.message },
    ]
  if (hasCode(error, 'INPUT_TOO_LARGE'))
    return [{ pointer: '', code: 'too_large', detail: error.message }]
  return undefined
}
