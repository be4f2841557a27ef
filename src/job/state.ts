/** The seven states of a job, in the order of their numbers in a store. */
export const STATES = [
  'scheduled',
  'ready',
  'running',
  'waiting',
  'completed',
  'failed',
  'cancelled',
] as const

export type State = (typeof STATES)[number]

/** Where a job may go from each state. Only a settlement leads out of `running`. */
export const MOVES: Readonly<Record<State, readonly State[]>> = {
  scheduled: ['ready', 'cancelled'],
  ready: ['running', 'cancelled'],
  running: ['completed', 'failed', 'cancelled', 'scheduled', 'ready', 'waiting'],
  waiting: ['ready', 'cancelled'],
  completed: [],
  failed: ['ready'],
  cancelled: ['ready'],
}

export const ENDED = ['completed', 'failed', 'cancelled'] as const satisfies readonly State[]
export type Ended = (typeof ENDED)[number]

export const isEnded = (state: State): state is Ended => ENDED.some((ended) => ended === state)

/** Why a job failed. */
export const REASONS = [
  'error',
  'timeout',
  'crashed',
  'expired',
  'lost',
  'invalid_input',
  'unserializable_result',
] as const

export type Reason = (typeof REASONS)[number]
