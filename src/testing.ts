/** What a team's own tests import: `errand/testing`. */
export type { HandClock } from './testing/clock.ts'
export { type Fault, FAULTS, type PlannedFault } from './testing/faults.ts'
export type { Rehearsal } from './testing/rehearsal.ts'
export { rehearse, type RehearseOptions } from './testing/rehearse.ts'
