import { failpoint } from '../../base/failpoint.ts'
import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { Fence, JobId, Limit, WorkerId } from '../../job/job.ts'
import { attemptOf, broughtBy, type NewArtifact, type Outcome } from '../../job/outcome.ts'
import { isEnded, type State } from '../../job/state.ts'
import type { Drops } from '../../job/keep.ts'
import type { Answer, Settlement } from '../contract.ts'
import { readLimits } from '../parts/limits.ts'
import { Children } from './children.ts'
import type { Connection } from './connection.ts'
import type { Held } from './handing.ts'
import { Inserting } from './inserting.ts'
import { Mailbox } from './mailbox.ts'
import { int, numberOf, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** What one exchange gathers: settled jobs of each receipt, and ended ones by how long they are kept. */
type Trip = { closed: Map<number, number>; ended: Map<Millis, number[]>; known: JobId[] }

/** Writes outcomes down. The fence is checked here, in one statement, and nowhere else. */
export class Settling {
  readonly #sql
  readonly #held: Map<JobId, Held>
  readonly #inserting
  readonly #mailbox
  readonly #children
  readonly #limits

  constructor(connection: Connection, held: Map<JobId, Held>) {
    this.#sql = connection.prepare('./exchange.sql', [
      'held',
      'settle',
      'asked',
      'answer',
      'ending',
      'waiting',
      'begun',
      'free',
      'ended',
      'drops',
      'attempt',
      'artifact',
      'close',
    ])
    this.#held = held
    this.#inserting = new Inserting(connection)
    this.#mailbox = new Mailbox(connection)
    this.#children = new Children(connection)
    this.#limits = connection.limits
  }

  run(worker: WorkerId, settlements: readonly Settlement[], turn: Turn): Answer[] {
    const trip: Trip = { closed: new Map(), ended: new Map(), known: [] }
    turn.after(() => trip.known.forEach((id) => this.#held.delete(id)))
    const answers = settlements.map((settlement) => this.#settle(worker, settlement, trip, turn))
    for (const [receipt, count] of trip.closed) this.#sql.close.run(count, worker, receipt)
    for (const [keepMs, places] of trip.ended)
      this.#sql.ended.run(turn.now + keepMs, turn.now, JSON.stringify(places))
    return answers
  }

  /** What became of a job that this fence no longer holds. */
  answer(id: JobId, fence: Fence): Answer {
    const answer = this.#sql.answer.get(fence, id)?.answer
    return answer === 'stale' || answer === 'already' ? answer : 'gone'
  }

  #settle(worker: WorkerId, { id, fence, outcome }: Settlement, trip: Trip, turn: Turn): Answer {
    const known = this.#held.get(id)
    const held = known?.fence === fence ? known : this.#find(id, fence)
    if (held === undefined) return 'gone'
    if (held === known) trip.known.push(id)
    const { place, queue, receipt } = held
    const state = this.#stateAfter(outcome, place, turn)
    this.#recordAttempt(id, fence, worker, held, outcome, turn)

    const raised = 'raise' in outcome ? outcome.raise : undefined
    const { changes } = this.#sql.settle.run(
      numberOf(state),
      runAt(outcome, state, turn.now),
      'keepMs' in outcome ? turn.now : null,
      'keepMs' in outcome ? turn.now + outcome.keepMs : null,
      raised === 'failures' ? 1 : 0,
      raised === 'crashes' ? 1 : 0,
      raised === 'losses' ? 1 : 0,
      place,
      id,
      fence,
      worker,
    )
    if (changes === 0) return this.answer(id, fence)
    turn.tallies.move(queue, 'running', state)
    if (held.limits) this.#release(held.limits, state, turn)
    turn.ring('change')
    if (state === 'ready' || state === 'scheduled') turn.ring('ready')
    trip.closed.set(receipt, (trip.closed.get(receipt) ?? 0) + 1)
    if (state === 'waiting' && outcome.to === 'waiting') {
      this.#sql.waiting.run(outcome.for, null, place)
      this.#mailbox.rest(place, 'one' in outcome ? outcome : NOTHING)
    }
    this.#write(id, held, outcome, trip, turn)
    failpoint('settle.between')
    return 'done'
  }

  /** Who is ready again at once keeps its places. */
  #release(limits: readonly Limit[], state: State, turn: Turn): void {
    if (state !== 'ready') this.#limits.leave(limits, turn)
    if (!isEnded(state)) this.#limits.waits(limits, 1, turn)
  }

  #find(id: JobId, fence: Fence): Held | undefined {
    const row = this.#sql.held.get(id)
    return (
      row && {
        fence,
        place: int(row.turn),
        queue: text(row.queue),
        receipt: row.receipt === null ? 0 : int(row.receipt),
        isUnique: row.is_unique === 1,
        tried: int(row.tried) > 0,
        ...(row.batch !== null && { batch: text(row.batch) }),
        ...(row.limits !== null && { limits: readLimits(text(row.limits)) }),
      }
    )
  }

  /** What an ending leaves behind. A plain completion leaves nothing but its place in the list. */
  #write(
    id: JobId,
    { place, fence, isUnique, tried, batch }: Held,
    outcome: Outcome,
    { ended }: Trip,
    turn: Turn,
  ): void {
    // It started in time, though that run is not counted.
    if (hasBegun(outcome)) this.#sql.begun.run(place)
    if (outcome.to === 'scheduled') this.#sql.waiting.run(null, outcome.error, place)
    if (!('keepMs' in outcome)) return
    const places = ended.get(outcome.keepMs)
    if (places) places.push(place)
    else ended.set(outcome.keepMs, [place])
    const {
      result = null,
      error = null,
      reason = null,
      withErrors = false,
      artifacts = [],
      drops = NONE,
    } = leavings(outcome)
    if (result !== null || error !== null || withErrors || tried)
      this.#sql.ending.run(result, error, reason, withErrors ? 1 : null, place)
    for (const { file, type, bytes, sha256, keepMs } of artifacts)
      this.#sql.artifact.run(place, file, fence, type, bytes, sha256, turn.now + keepMs)
    if (batch !== undefined) turn.told.ended(batch, outcome.to, withErrors)
    for (const [what, ms] of Object.entries(drops)) this.#sql.drops.run(place, what, turn.now + ms)
    if (isUnique) this.#sql.free.run(place, numberOf(outcome.to))
    for (const job of broughtBy(outcome)) this.#inserting.run(job, turn)
    if (outcome.word) this.#mailbox.tell(outcome.word, turn)
    if (outcome.to === 'cancelled') this.#children.ask(id, turn)
  }

  /**
   * A retry without delay is ready at once, and what need not wait. So is a job whose cancel was asked: it
   * lies nowhere in waiting, and whoever takes it settles it as cancelled.
   */
  #stateAfter(outcome: Outcome, place: number, turn: Turn): State {
    if (outcome.to === 'scheduled' && outcome.delayMs <= 0) return 'ready'
    const isSetAside = outcome.to === 'scheduled' || outcome.to === 'waiting'
    if (isSetAside && this.#sql.asked.get(place)) return 'ready'
    const isThere = 'one' in outcome && this.#mailbox.isThere(place, outcome, turn.now)
    return isThere ? 'ready' : outcome.to
  }

  /** Attempts that did not complete are history; written before the row forgets when it began. */
  #recordAttempt(
    id: JobId,
    fence: Fence,
    worker: WorkerId,
    { place }: Held,
    outcome: Outcome,
    turn: Turn,
  ): void {
    const name = attemptOf(outcome)
    if (name === undefined) return
    const error = 'error' in outcome ? outcome.error : null
    this.#sql.attempt.run({ turn: place, id, fence, worker, now: turn.now, outcome: name, error })
  }
}

/** When a job that came back to life is to run; null where that stays as it was. */
function runAt(outcome: Outcome, state: State, now: Millis): Millis | null {
  if (outcome.to === 'scheduled') return now + (state === 'ready' ? 0 : outcome.delayMs)
  return 'one' in outcome && state === 'ready' ? now : null
}

const hasBegun = (outcome: Outcome): boolean =>
  outcome.to === 'ready' ? outcome.begun : 'one' in outcome

/** One that is parked waits for no letter. */
const NOTHING = { one: [], all: [] }

type Leavings = {
  keepMs?: Millis
  result?: Bytes
  error?: Bytes
  reason?: string
  withErrors?: boolean
  artifacts?: readonly NewArtifact[]
  drops?: Drops
}
const NONE: Drops = {}
const leavings = (outcome: Outcome): Leavings => ('keepMs' in outcome ? outcome : {})
