import { failpoint } from '../../base/failpoint.ts'
import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { Batch } from '../../job/batch.ts'
import type { Artifact, Claimed, JobId, WorkerId } from '../../job/job.ts'
import type { Take } from '../../job/rate.ts'
import { AUDIT_MAX } from '../contract.ts'
import type {
  Answer,
  Claim,
  Exchanged,
  Note,
  Purged,
  Registration,
  Renewed,
  Settlement,
  Workbench,
} from '../contract.ts'
import { blobs, hex, plain, readTexts, texts } from './arrays.ts'
import type { Connection, Row } from './connection.ts'
import { answersOf } from './intake.ts'
import { toChild } from './jobs.ts'
import type { Kinds } from './kinds.ts'
import { int, kindsIn, text, toBatch, toArtifact, toBytes, toHanded, toIds } from './rows.ts'
import { eachOnce, toArrays } from './settlements.ts'
import { Starts } from './starts.ts'
import { lookText } from './statements.ts'
import { take } from './taking.ts'

/** Where work is done. */
export class PostgresWorkbench implements Workbench {
  readonly #connection: Connection
  readonly #kinds: Kinds
  readonly #starts = new Starts()

  constructor(connection: Connection, kinds: Kinds) {
    this.#connection = connection
    this.#kinds = kinds
  }

  async register({ id, leaseMs, info }: Registration): Promise<void> {
    const values = [this.#connection.now, id, leaseMs, buffer(info)]
    await this.#connection.call('register', 'register', values, { again: true })
  }

  async exchange(
    worker: WorkerId,
    n: number,
    settlements: readonly Settlement[],
    { queues, limit }: Claim,
  ): Promise<Exchanged> {
    const { now, slot } = this.#connection
    const { once, places } = eachOnce(settlements)
    const arrays = toArrays(once, this.#kinds)
    const starts = this.#starts.still()
    const values = [now, slot, worker, n, texts(queues), limit, ...arrays, starts]
    const [row = {}] = await this.#connection.call('exchange', 'exchange', values, {
      again: true,
      along: 'exchanges',
    })
    if (limit > 0) this.#starts.learn(row.ends ?? null)
    if (settlements.length > 0) failpoint('settle.between')
    return this.#exchanged(row, places)
  }

  async renew(worker: WorkerId, metrics?: Bytes): Promise<Renewed> {
    const values = [this.#connection.now, worker, metrics ? buffer(metrics) : null]
    const [row] = await this.#connection.call('renew', 'renew', values, {
      again: true,
      along: 'renewals',
    })
    if (row?.alive !== 't') return { alive: false }
    return { alive: true, cancelAsked: toIds(row.asked) }
  }

  async note(worker: WorkerId, notes: readonly Note[]): Promise<Answer[]> {
    const called = notes.flatMap(({ child }) => child ?? [])
    const values = [
      this.#connection.now,
      this.#connection.slot,
      worker,
      plain(notes.map(({ id }) => id)),
      plain(notes.map(({ fence }) => fence)),
      blobs(notes.map(({ progress }) => progress)),
      JSON.stringify(notes.map(({ log = [] }) => log)),
      JSON.stringify(
        notes.map(({ step }) => step && { name: step.name, value: `\\x${hex(step.value)}` }),
      ),
      JSON.stringify(this.#kinds.of(called)),
      JSON.stringify(
        notes.map(({ step, child }) => step && child && toChild(child, step.name, this.#kinds)),
      ),
    ]
    // Before the settlement that may follow it: on another connection that could overtake.
    const rows = await this.#connection.call('note', 'note', values, { along: 'exchanges' })
    return answersOf(rows).map(toAnswer)
  }

  take(takes: readonly Take[]): Promise<Millis[]> {
    return take(takes, this.#connection)
  }

  async sweep(worker: WorkerId, n: number, limit: number): Promise<Exchanged> {
    const values = [this.#connection.now, worker, n, limit]
    const [row = {}] = await this.#connection.call('sweep', 'sweep', values, { again: true })
    return this.#exchanged(row)
  }

  async retire(worker: WorkerId): Promise<void> {
    const values = [this.#connection.now, worker]
    // Where the renewals went: a connection that has been idle may have gone dead without a word.
    await this.#connection.call('retire', 'retire', values, { again: true, along: 'renewals' })
  }

  async unpark(jobs: readonly string[]): Promise<number> {
    const [row] = await this.#connection.call('unpark', 'unpark', [
      this.#connection.slot,
      texts(jobs),
    ])
    return int(Object.values(row ?? {})[0])
  }

  async purge(limit: number, auditMs?: Millis): Promise<Purged> {
    const { now, slot } = this.#connection
    const values = [now, slot, limit, auditMs ?? null, AUDIT_MAX]
    const [row] = await this.#connection.call('purge', 'purge', values)
    return { erased: int(row?.erased), withFiles: toIds(row?.with_files) }
  }

  async expired(limit: number): Promise<(Artifact & { id: JobId })[]> {
    const rows = await this.#look('expired', [this.#connection.now, limit])
    return rows.map((row) => ({ id: text(row.id), ...toArtifact(row) }))
  }

  async forget(artifacts: readonly { id: JobId; file: string }[]): Promise<void> {
    await this.#look('forget', [JSON.stringify(artifacts)])
  }

  async stoppedBatches(idleMs: Millis): Promise<Batch[]> {
    const values = [this.#connection.now, this.#connection.slot, idleMs]
    const call = { again: true }
    return (await this.#connection.call('stoppedBatches', 'stopped_batches', values, call)).map(
      toBatch,
    )
  }

  bury(fold: (metrics: readonly Bytes[]) => Bytes): Promise<number> {
    const said = (name: string) => lookText(this.#connection.schema, name)
    return this.#connection.within('isolation level read committed', async (ask) => {
      const gone = await ask(said('finished'), [this.#connection.now])
      if (gone.length === 0) return 0
      const rows = [...(await ask(said('unbury'))), ...gone]
      const left = rows.flatMap(({ metrics }) => (metrics ? [toBytes(metrics)] : []))
      if (left.length > 0) await ask(said('bury'), [buffer(fold(left))])
      await ask(said('strike'), [plain(gone.map(({ id }) => text(id)))])
      return gone.length
    })
  }

  /** `places` says which answer is whose: none stands for all that is done. */
  async #exchanged(row: Row, places: readonly number[] = []): Promise<Exchanged> {
    const { standing, answers = null, now, due = null } = row
    if (standing === 'gone' || standing === 'closed') return { refused: standing }
    const jobs = await this.#claimed(row)
    return {
      answers: toAnswers(answers, places),
      jobs,
      now: int(now),
      ...(due !== null && { nextDueMs: Math.max(0, int(due) - int(now)) }),
    }
  }

  async #claimed(row: Row): Promise<Claimed[]> {
    const ids = kindsIn(row)
    return ids.length === 0 ? [] : toHanded(row, await this.#kinds.read(ids))
  }

  #look(name: string, values: Parameters<Connection['look']>[1]): Promise<Row[]> {
    return this.#connection.look(lookText(this.#connection.schema, name), values)
  }
}

/** `pg` takes a view for what it is only when it is a Buffer. */
const buffer = (bytes: Bytes): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const ANSWERS: readonly Answer[] = ['done', 'already', 'stale', 'gone']
/** A settlement that was named before in the same call is `already` what it says. */
function toAnswers(said: string | null, places: readonly number[]): Answer[] {
  const answers = said === null ? undefined : readTexts(said).map(toAnswer)
  let named = 0
  return places.map((place) => {
    const answer = answers?.[place] ?? 'done'
    if (place === named) named++
    else if (answer === 'done') return 'already'
    return answer
  })
}
const toAnswer = (answer: string): Answer => ANSWERS.find((one) => one === answer) ?? 'gone'
