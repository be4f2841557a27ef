import type { Millis } from '../base/time.ts'

/** While the store works on one trip, what the other brought is run. */
const TRIPS_MAX = 2
/** Of one trip; stores hand out no more. */
const TRIP_MAX = 1000

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
    return Math.max(0, Math.min(load - held - this.#asked, half(load, places)))
  }

  /**
   * How much of what has ended a trip settles. Did one settle all, the other would be answered right behind it, and
   * from then on both would leave and come at once: the store would wait for us, and we for the store.
   */
  share(load: number, places: number, ended: number): number {
    return Math.min(TRIP_MAX, Math.max(half(load, places), Math.ceil(ended / TRIPS_MAX)))
  }

  /** A lone trip leaves for anything; a second one costs the server as much, and needs half a load. */
  isWorthATrip(load: number, room: number, ended: number): boolean {
    const most = Math.max(room, ended)
    if (this.#underWay === 0) return most > 0
    return this.#underWay < TRIPS_MAX && most >= Math.min(load / TRIPS_MAX, TRIP_MAX)
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

const half = (load: number, places: number): number =>
  Math.min(TRIP_MAX, Math.max(places, Math.ceil(load / TRIPS_MAX)))
