import type { Millis } from '../base/time.ts'

/** While the store works on one trip, what the other brought is run. */
const TRIPS_MAX = 2

/** When a trip to the store is worth making, and how many jobs it should bring. */
export class Demand {
  #underWay = 0
  /** Jobs that trips under way may bring. */
  #asked = 0
  #rings = 0
  #restUntil: Millis = 0

  /** Something may lie there now. */
  rang(): void {
    this.#rings++
    this.#restUntil = 0
  }

  /** Of a load, what is neither held nor on its way; half of it at most, or nothing is left for the other trip. */
  room(load: number, places: number, held: number): number {
    if (performance.now() < this.#restUntil) return 0
    const half = Math.max(places, Math.ceil(load / TRIPS_MAX))
    return Math.max(0, Math.min(load - held - this.#asked, half))
  }

  /** A lone trip leaves for anything; a second one costs the server as much, and needs half a load. */
  isWorthATrip(load: number, room: number, ended: number): boolean {
    const most = Math.max(room, ended)
    return this.#underWay === 0 ? most > 0 : this.#underWay < TRIPS_MAX && most * TRIPS_MAX >= load
  }

  left(asked: number): { rings: number; asked: number } {
    this.#underWay++
    this.#asked += asked
    return { rings: this.#rings, asked }
  }

  /** A full hand means that more may lie there; so does a ring that came meanwhile. */
  landed({ rings, asked }: { rings: number; asked: number }, restMs: Millis): void {
    this.#underWay--
    this.#asked -= asked
    if (this.#rings === rings) this.#restUntil = performance.now() + restMs
  }

  get isUnderWay(): boolean {
    return this.#underWay > 0
  }

  /** How long until it is worth looking again, when nobody rings. */
  get restMs(): Millis {
    return Math.max(0, this.#restUntil - performance.now())
  }
}
