import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENDED, isEnded, MOVES, STATES, type State } from '../../src/job/state.ts'
import type { Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { HandClock } from '../support/clock.ts'
import { Hand, running, seen } from '../support/hand.ts'
import {
  again,
  cancelled,
  cancels,
  chore,
  completed,
  failed,
  parked,
  released,
  SECOND,
} from '../support/jobs.ts'

/** Everything that can be done to one job. */
class Walk {
  readonly moves = new Set<string>()
  readonly #store: Store
  readonly #clock: HandClock
  readonly #hand: Hand

  constructor(store: Store, clock: HandClock, hand: Hand) {
    this.#store = store
    this.#clock = clock
    this.#hand = hand
  }

  async everything(): Promise<void> {
    const outcomes = [
      completed(),
      failed(),
      cancelled(),
      again(SECOND),
      again(0),
      released(),
      parked(),
    ]
    for (const outcome of outcomes) {
      const job = await running(this.#store, this.#hand, chore())
      await this.#observe(job.id, () => this.#hand.settle(job, outcome))
      await this.#observe(job.id, () => this.#store.unpark(['chore']))
      await this.#observe(job.id, () => this.#store.retry([job.id]))
      await this.#observe(job.id, () => this.#later())
      await this.#observe(job.id, () => this.#hand.claim(1))
      await this.#observe(job.id, () => this.#store.cancel(cancels([job.id], SECOND)))
    }
    await this.#cancelEach()
  }

  async #cancelEach(): Promise<void> {
    const parkedJob = await running(this.#store, this.#hand, chore())
    await this.#hand.settle(parkedJob, parked())
    const others = [chore(), chore({ delayMs: SECOND })]
    await this.#store.insert(others)
    for (const { id } of [parkedJob, ...others])
      await this.#observe(id, () => this.#store.cancel(cancels([id], SECOND)))
  }

  async #later(): Promise<void> {
    this.#clock.advance(2 * SECOND)
    await this.#hand.exchange([])
  }

  async #observe(id: string, act: () => Promise<unknown>): Promise<void> {
    const { state: from } = await seen(this.#store, id)
    await act()
    const { state: to } = await seen(this.#store, id)
    if (from !== to) this.moves.add(`${from} ${to}`)
  }
}

test('a store makes every legal move, and no other', async () => {
  const clock = new HandClock()
  await using store = await SqliteStore.open(':memory:', { clock })
  const walk = new Walk(store, clock, await Hand.register(store))
  await walk.everything()
  const legal = STATES.flatMap((from) => MOVES[from].map((to) => `${from} ${to}`))
  assert.deepEqual([...walk.moves].toSorted(), legal.toSorted())
})

test('every state can be reached from the two where jobs begin', () => {
  const reached = new Set<State>(['scheduled', 'ready'])
  for (const state of reached) for (const next of MOVES[state]) reached.add(next)
  assert.deepEqual([...reached].toSorted(), STATES.toSorted())
})

test('three states are an end', () => {
  assert.deepEqual(STATES.filter(isEnded), [...ENDED])
})
