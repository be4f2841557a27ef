import type { Clauses } from '../conform.ts'
import { RandomWalk } from '../../support/walk.ts'

const STEPS = 300

export const account: Clauses = {
  'C10 three hundred random verbs leave every job accounted for': async (store, clock) => {
    const walk = new RandomWalk(store, clock, 1)
    for (let step = 0; step < STEPS; step++) await walk.step()
  },

  'C10 so do three hundred others': async (store, clock) => {
    const walk = new RandomWalk(store, clock, 20_261_121)
    for (let step = 0; step < STEPS; step++) await walk.step()
  },
}
