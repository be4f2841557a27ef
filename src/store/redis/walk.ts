import type { JobId } from '../../job/job.ts'
import { STATES } from '../../job/state.ts'
import type { Filter, Page } from '../contract.ts'
import { choose, LOOKED_AT_MAX, readCursor, writeCursor } from '../parts/paging.ts'
import type { Connection } from './connection.ts'
import { idsIn, packId } from './pack.ts'
import { bufferOf, hashOf, listOf, numberOf } from './rows.ts'

const READY = '1'
const HELD = 'held'
const PRIORITIES = Array.from({ length: 10 }, (_, priority) => priority)

/** One set, line or list to go along: what list.lua calls it, and which of them. */
type Way = { walk: string; of: string }
/** Which way a page goes on along, and from where. */
type Place = { at: string; from: string }

/** Pages through jobs along what holds just those asked for. */
export class Walks {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async page(
    filter: Filter,
    limit: number,
    cursor?: string,
  ): Promise<{ ids: JobId[] } & Pick<Page, 'next'>> {
    const ways = await this.#ways(filter)
    let place = cursor === undefined ? undefined : placeIn(cursor, filter)
    const ids: JobId[] = []
    let looked = 0
    // A way that is gone by now was walked to its end: what follows it goes on.
    const rest = place === undefined ? ways : ways.filter((way) => nameOf(way) >= (place?.at ?? ''))
    for (const way of rest) {
      const from = place?.at === nameOf(way) ? place.from : ''
      place = undefined
      const step = await this.#step(way, from, limit - ids.length, LOOKED_AT_MAX - looked, filter)
      ids.push(...step.ids)
      looked += step.looked
      const isLast = way === rest.at(-1)
      if (step.next !== '') return { ids, next: cursorOf(filter, way, step.next) }
      if (!isLast && (ids.length >= limit || looked >= LOOKED_AT_MAX)) {
        const following = rest[rest.indexOf(way) + 1]
        if (following) return { ids, next: cursorOf(filter, following, '') }
      }
    }
    return { ids }
  }

  async #step(way: Way, from: string, limit: number, budget: number, filter: Filter) {
    const { state, job, queue, tenant, batch } = filter
    const wanted = [state && `${STATES.indexOf(state)}`, job, queue, tenant].map((value) =>
      value === undefined ? '' : `=${value}`,
    )
    const args = [way.walk, way.of, Buffer.from(from, 'base64url'), limit, budget, ...wanted]
    args.push(batch === undefined ? '' : Buffer.concat([Buffer.from('='), packId(batch)]))
    const [ids, looked, next] = listOf(await this.#connection.call('list', args, { again: true }))
    return {
      ids: idsIn(bufferOf(ids)),
      looked: numberOf(looked),
      next: bufferOf(next).toString('base64url'),
    }
  }

  async #ways(filter: Filter): Promise<Way[]> {
    const walk = choose(filter)
    if (walk !== 'ready') return [{ walk, of: filter.tag ?? '' }]
    const reply = listOf(await this.#connection.call('tally', [], { again: true }))
    const queues = reply
      .map((one) => listOf(one))
      .filter(([, , counters]) => Number(String(hashOf(counters).get(READY) ?? 0)) > 0)
      .map(([queue]) => String(bufferOf(queue)))
      .filter((queue) => filter.queue === undefined || queue === filter.queue)
    const lines = queues
      .toSorted()
      .flatMap((queue) =>
        PRIORITIES.flatMap((priority) =>
          ['line', 'list'].map((each) => ({ walk: each, of: `${priority}:${queue}` })),
        ),
      )
    // Those that wait for a place are ready as well, and come after the lines.
    const keys = listOf(await this.#connection.ask('SMEMBERS', this.#connection.keys.heldKeys))
    return [
      ...lines,
      ...keys
        .map(String)
        .toSorted()
        .map((of) => ({ walk: HELD, of })),
    ]
  }
}

/** Names sort as they are walked: by queue, by priority, what came back or came due before what came in. */
const nameOf = ({ walk, of }: Way): string =>
  walk === HELD ? `\uffff${of}` : `${of.slice(2)}\0${of.slice(0, 1)}\0${walk}`

const cursorOf = (filter: Filter, way: Way, from: string): string =>
  writeCursor(choose(filter), [nameOf(way), from])

/** @throws ErrandError INVALID_QUERY */
function placeIn(cursor: string, filter: Filter): Place {
  const [at, from] = readCursor(cursor, choose(filter), ['', ''])
  return { at: `${at}`, from: `${from}` }
}
