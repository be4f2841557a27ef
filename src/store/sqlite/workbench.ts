import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { Batch } from '../../job/batch.ts'
import type { Artifact, JobId, WorkerId } from '../../job/job.ts'
import type { Take } from '../../job/rate.ts'
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
import { Children } from './children.ts'
import type { Connection } from './connection.ts'
import { Exchange } from './exchange.ts'
import { Purge } from './purge.ts'
import { bytes, int, text } from './rows.ts'
import { Sweep } from './sweep.ts'
import { Taking } from './taking.ts'
import type { Turn } from './turns.ts'

const LINES_MAX = 1000

/** Where work is done. */
export class SqliteWorkbench implements Workbench {
  readonly #turns
  readonly #exchange
  readonly #sweep
  readonly #purge
  readonly #taking
  readonly #children
  readonly #worker
  readonly #note
  readonly #batches
  readonly #change

  constructor(connection: Connection) {
    this.#turns = connection.turns
    this.#exchange = new Exchange(connection)
    this.#sweep = new Sweep(connection, this.#exchange)
    this.#purge = new Purge(connection)
    this.#taking = new Taking(connection)
    this.#children = new Children(connection)
    this.#batches = connection.batches
    this.#worker = connection.prepare('./worker.sql', [
      'register',
      'renew',
      'asked',
      'finished',
      'buried',
      'unbury',
      'bury',
      'strike',
    ])
    this.#note = connection.prepare('./note.sql', [
      'holds',
      'progress',
      'seen',
      'step',
      'headway',
      'last',
      'line',
    ])
    this.#change = connection.prepare('./change.sql', ['unpark', 'unwait'])
  }

  register({ id, leaseMs, info }: Registration): Promise<void> {
    return this.#turns.run(
      'register',
      ({ now }) => void this.#worker.register.run({ id, leaseMs, now, info }),
    )
  }

  exchange(
    worker: WorkerId,
    n: number,
    settlements: readonly Settlement[],
    claim: Claim,
  ): Promise<Exchanged> {
    return this.#turns.run('exchange', (turn) =>
      this.#exchange.run(worker, n, settlements, claim, turn),
    )
  }

  renew(worker: WorkerId, metrics?: Bytes): Promise<Renewed> {
    return this.#turns.run('renew', ({ now }): Renewed => {
      const { changes } = this.#worker.renew.run({ worker, now, metrics: metrics ?? null })
      if (changes === 0) return { alive: false }
      return { alive: true, cancelAsked: this.#worker.asked.all(worker).map((row) => text(row.id)) }
    })
  }

  note(worker: WorkerId, notes: readonly Note[]): Promise<Answer[]> {
    return this.#turns.run('note', (turn) => notes.map((note) => this.#noteOne(worker, note, turn)))
  }

  take(takes: readonly Take[]): Promise<Millis[]> {
    return this.#turns.run('take', (turn) => this.#taking.run(takes, turn))
  }

  sweep(worker: WorkerId, n: number, limit: number): Promise<Exchanged> {
    return this.#turns.run('sweep', (turn) => this.#sweep.run(worker, n, limit, turn))
  }

  retire(worker: WorkerId): Promise<void> {
    return this.#turns.run('retire', (turn) => this.#sweep.retire(worker, turn))
  }

  unpark(jobs: readonly string[]): Promise<number> {
    return this.#turns.run('unpark', (turn) => {
      const rows = this.#change.unpark.all(JSON.stringify(jobs))
      for (const row of rows) {
        this.#change.unwait.run(int(row.turn))
        turn.tallies.move(text(row.queue), 'waiting', 'ready')
        if (row.held !== null) turn.freed.add(text(row.held))
      }
      if (rows.length > 0) for (const topic of ['ready', 'change'] as const) turn.ring(topic)
      return rows.length
    })
  }

  purge(limit: number, auditMs?: Millis): Promise<Purged> {
    return this.#turns.run('purge', (turn) => {
      if (auditMs !== undefined) this.#purge.trim(limit, auditMs, turn)
      this.#taking.purge(turn)
      return this.#purge.run(limit, turn)
    })
  }

  expired(limit: number): Promise<(Artifact & { id: JobId })[]> {
    return this.#turns.run('expired', ({ now }) => this.#purge.expired(now, limit))
  }

  forget(artifacts: readonly { id: JobId; file: string }[]): Promise<void> {
    return this.#turns.run('forget', () => this.#purge.forget(artifacts))
  }

  stoppedBatches(idleMs: Millis): Promise<Batch[]> {
    return this.#turns.run('stoppedBatches', (turn) => this.#batches.stopIdle(idleMs, turn))
  }

  bury(fold: (metrics: readonly Bytes[]) => Bytes): Promise<number> {
    return this.#turns.run('bury', ({ now }) => {
      const gone = this.#worker.finished.all({ now })
      if (gone.length === 0) return 0
      const left = [...this.#worker.buried.all(), ...gone]
        .filter((row) => row.metrics !== null)
        .map((row) => bytes(row.metrics))
      this.#worker.unbury.run()
      if (left.length > 0) this.#worker.bury.run(fold(left))
      for (const row of gone) this.#worker.strike.run(text(row.id))
      return gone.length
    })
  }

  #noteOne(
    worker: WorkerId,
    { id, fence, progress, step, child, log = [] }: Note,
    turn: Turn,
  ): Answer {
    const row = this.#note.holds.get(id, fence, worker)
    if (row === undefined) return this.#exchange.answer(id, fence)
    const place = int(row.turn)
    if (progress) {
      this.#note.progress.run(progress, place)
      this.#note.seen.run(place)
      turn.ring('change')
    }
    if (step && this.#note.step.run(place, step.name, turn.now, step.value).changes === 1) {
      this.#note.headway.run(place)
      turn.ring('change')
    }
    if (step && child) this.#children.call(child, place, step.name, turn)
    let n = log.length > 0 ? int(this.#note.last.get(place)?.n) : 0
    for (const { at, level, text: line } of log)
      if (n < LINES_MAX) this.#note.line.run(place, ++n, at, fence, level, line)
    return 'done'
  }
}
