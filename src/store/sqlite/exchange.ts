import type { Millis } from '../../base/time.ts'
import type { Claimed, Fence, JobId, WorkerId } from '../../job/job.ts'
import type { Answer, Claim, Exchanged, Settlement } from '../contract.ts'
import type { Connection } from './connection.ts'
import { Mailbox } from './mailbox.ts'
import { type Handed, Handing, type Held } from './handing.ts'
import { arrays, int, text } from './rows.ts'
import { Settling } from './settling.ts'
import type { Turn } from './turns.ts'

type Standing = 'gone' | 'closed' | 'new' | 'again'

/** Settles and claims in one numbered trip, and keeps the receipts. */
export class Exchange {
  readonly #sql
  readonly #settling
  readonly #mailbox
  readonly #limits
  readonly #batches
  readonly handing: Handing
  /** Where the jobs lie that were handed out here, so that settling one need not look for it. */
  readonly #held = new Map<JobId, Held>()

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./exchange.sql', [
      'worker',
      'number',
      'promote',
      'due',
      'ready',
      'claim',
      'hand',
      'again',
      'drop',
      'queues',
      'paused',
    ])
    this.handing = new Handing(connection)
    this.#mailbox = new Mailbox(connection)
    this.#limits = connection.limits
    this.#batches = connection.batches
    this.#settling = new Settling(connection, this.#held)
  }

  run(
    worker: WorkerId,
    n: number,
    settlements: readonly Settlement[],
    { queues, limit }: Claim,
    turn: Turn,
  ): Exchanged {
    const standing = this.number(worker, n)
    if (standing === 'gone' || standing === 'closed') return { refused: standing }
    const answers = this.#settling.run(worker, settlements, turn)
    // Whether a batch is stopped must be known before an item of it is handed out.
    this.#batches.write(turn)
    const due = this.#due(turn)
    const jobs =
      standing === 'again'
        ? this.again(worker, n, turn)
        : this.#claim(worker, n, queues, limit, turn)
    return {
      answers,
      jobs,
      now: turn.now,
      ...(due !== undefined && { nextDueMs: Math.max(0, due - turn.now) }),
    }
  }

  /** Whether a number is new to its worker. The last two are remembered: that many may be in flight. */
  number(worker: WorkerId, n: number): Standing {
    const row = this.#sql.worker.get(worker)
    if (row === undefined || row.gone_at !== null) return 'gone'
    const [newest, second] = [int(row.newest), int(row.second)]
    if (n === newest || n === second) return 'again'
    if (n < second) return 'closed'
    this.#sql.number.run(Math.max(n, newest), Math.min(n, newest), worker)
    this.#sql.drop.run(worker, Math.min(n, newest))
    return 'new'
  }

  /** Writes the receipt of jobs handed out under new fences, and remembers where they lie. */
  hand(worker: WorkerId, n: number, handed: readonly Handed[], turn: Turn): Claimed[] {
    if (handed.length === 0) return []
    const places = handed.map(({ job, held }) => [held.place, job.fence])
    this.#sql.hand.run(worker, n, handed.length, JSON.stringify(places))
    turn.ring('change')
    turn.after(() => {
      for (const { job, held } of handed) this.#held.set(job.id, held)
    })
    return handed.map(({ job }) => job)
  }

  /** What became of a job that this fence no longer holds. */
  answer(id: JobId, fence: Fence): Answer {
    return this.#settling.answer(id, fence)
  }

  again(worker: WorkerId, n: number, turn: Turn): Claimed[] {
    return arrays(this.#sql.again, worker, n).map((row) => this.handing.read(row, n, turn).job)
  }

  /** Makes ready what is due, and says when the next job is. */
  #due(turn: Turn): Millis | undefined {
    const next = () => {
      const due = this.#sql.due.get()?.due ?? null
      return due === null ? undefined : int(due)
    }
    const due = next()
    if (due === undefined || due > turn.now) return due
    for (const { queue, held } of this.#sql.promote.all(turn.now)) {
      turn.tallies.move(text(queue), 'scheduled', 'ready')
      if (held !== null) turn.freed.add(text(held))
    }
    this.#mailbox.promote(turn)
    for (const topic of ['ready', 'change'] as const) turn.ring(topic)
    return next()
  }

  /** A queue served only after another would starve, so each exchange begins with the next one. */
  #everyQueue(n: number, turn: Turn): string[] {
    const counted = this.#sql.queues.all().map((row) => text(row.queue))
    // What this turn made ready is not in the table yet.
    const names = this.#unpaused([...new Set([...counted, ...turn.tallies.risen('ready')])])
    const first = names.length > 0 ? n % names.length : 0
    return [...names.slice(first), ...names.slice(0, first)]
  }

  #unpaused(queues: readonly string[]): readonly string[] {
    const paused = new Set(this.#sql.paused.all().map((row) => text(row.name)))
    return paused.size === 0 ? queues : queues.filter((queue) => !paused.has(queue))
  }

  #claim(
    worker: WorkerId,
    n: number,
    queues: readonly string[],
    limit: number,
    turn: Turn,
  ): Claimed[] {
    const handed: Handed[] = []
    this.#limits.admit(turn)
    const isStopped = this.#batches.stops()
    const open = queues.length > 0 ? this.#unpaused(queues) : this.#everyQueue(n, turn)
    for (const queue of open) {
      if (handed.length >= limit) break
      const ready = arrays(this.#sql.ready, queue, limit - handed.length)
      for (const row of ready) {
        const one = this.handing.read(row, n, turn)
        const fence = this.handing.take(one, turn.now, isStopped)
        this.#sql.claim.run(fence, worker, n, turn.now, one.held.place)
        if (one.held.limits) this.#limits.waits(one.held.limits, -1, turn)
        handed.push(one)
      }
      if (ready.length > 0) turn.tallies.move(queue, 'ready', 'running', ready.length)
    }
    return this.hand(worker, n, handed, turn)
  }
}
