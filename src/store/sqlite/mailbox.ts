import type { Millis } from '../../base/time.ts'
import type { Suspension, Word } from '../../job/outcome.ts'
import type { Mail } from '../../job/job.ts'
import { isEnded } from '../../job/state.ts'
import { type Letter, MAIL_MAX, type Posted } from '../contract.ts'
import type { Connection } from './connection.ts'
import { int, type Row, stateOf, text } from './rows.ts'
import type { Turn } from './turns.ts'

/** Letters to jobs, and the jobs that wait for them. */
export class Mailbox {
  readonly #sql

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./mail.sql', [
      'box',
      'known',
      'count',
      'put',
      'carries',
      'there',
      'clear',
      'await',
      'arrived',
      'lacking',
      'rest',
      'wake',
      'unwait',
      'awake',
    ])
  }

  post({ to, name, key, value, urgent = false, ifWaiting = false }: Letter, turn: Turn): Posted {
    const row = this.#sql.box.get(name, to)
    if (row === undefined) return 'gone'
    const [place, state] = [int(row.turn), stateOf(row.state)]
    // A repeat, whatever has become of the job.
    if (this.#sql.known.get(place, name, key)) return 'already'
    if (isEnded(state)) return state
    if (ifWaiting && !isAwaited(row)) return 'idle'
    if (int(this.#sql.count.get(place)?.count) >= MAIL_MAX) return 'full'
    this.#put(row, { name, key, value, urgent }, turn)
    return 'posted'
  }

  /** Takes in what a job that was called says of its end, whatever has become of the one that called it. */
  tell({ to, name, key, value, urgent = false }: Word, turn: Turn): void {
    const row = this.#sql.box.get(name, to)
    if (row === undefined || this.#sql.known.get(int(row.turn), name, key)) return
    this.#put(row, { name, key, value, urgent }, turn)
  }

  /** Whether a job need not wait: its moment has passed, or what it waits for is there. */
  isThere(place: number, { wakeAt, one, all }: Suspension, now: Millis): boolean {
    const has = (name: string) => this.#there(place, name) !== undefined
    return (
      (wakeAt !== undefined && wakeAt <= now) ||
      one.some(has) ||
      (all.length > 0 && all.every(has)) ||
      all.some((name) => this.#there(place, name) === 1)
    )
  }

  /** Notes what a job that was set aside waits for. */
  rest(place: number, { wakeAt, one, all }: Omit<Suspension, 'to' | 'for'>): void {
    this.#sql.clear.run(place)
    for (const name of all)
      if (this.#there(place, name) === undefined) this.#sql.await.run(place, name, 1)
    for (const name of one) this.#sql.await.run(place, name, 0)
    if (wakeAt !== undefined) this.#sql.rest.run(wakeAt, place)
  }

  /** Wakes those whose time has come. */
  promote(turn: Turn): void {
    for (const row of this.#sql.awake.all(turn.now)) {
      this.#sql.unwait.run(int(row.turn))
      turn.tallies.move(text(row.queue), 'waiting', 'ready')
      if (row.held !== null) turn.freed.add(text(row.held))
    }
  }

  /** 1 when an urgent letter of this name is there, 0 when another is. */
  #there(place: number, name: string): number | undefined {
    const urgent = this.#sql.there.get(place, name)?.urgent
    return urgent === undefined ? undefined : int(urgent)
  }

  #put(row: Row, { name, key, value, urgent = false }: Omit<Mail, 'at'>, turn: Turn): void {
    const place = int(row.turn)
    this.#sql.put.run(place, name, key, turn.now, urgent ? 1 : null, value)
    this.#sql.carries.run(place)
    if (isAwaited(row) && this.#isEnough(place, name, urgent || row.for_all === 0))
      this.#wake(place, text(row.queue), turn)
  }

  #isEnough(place: number, name: string, alone: boolean): boolean {
    if (alone) return true
    this.#sql.arrived.run(place, name)
    return this.#sql.lacking.get(place) === undefined
  }

  #wake(place: number, queue: string, turn: Turn): void {
    const { held } = this.#sql.wake.get(turn.now, place) ?? {}
    if (typeof held === 'string') turn.freed.add(held)
    this.#sql.unwait.run(place)
    turn.tallies.move(queue, 'waiting', 'ready')
    for (const topic of ['ready', 'change'] as const) turn.ring(topic)
  }
}

const isAwaited = (row: Row): boolean => stateOf(row.state) === 'waiting' && row.for_all !== null
