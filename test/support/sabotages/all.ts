import { ON_BATCHES } from './batches.ts'
import { OF_LIMITS } from './limits.ts'
import { MOVING } from './moving.ts'
import { IN_OUTAGES } from './outages.ts'
import { ON_PAUSES } from './pause.ts'
import { BY_PEOPLE } from './people.ts'
import { ELSEWHERE } from './rest.ts'
import { ON_SCHEDULES } from './schedules.ts'
import { ON_SERVERS } from './servers.ts'
import { ON_SQLITE } from './sqlite.ts'
import { OF_SYSTEMS } from './systems.ts'
import type { Sabotage } from './sabotage.ts'

export const SABOTAGES: readonly Sabotage[] = [
  ...ON_SQLITE,
  ...ON_SERVERS,
  ...ON_BATCHES,
  ...IN_OUTAGES,
  ...MOVING,
  ...OF_LIMITS,
  ...ON_SCHEDULES,
  ...ON_PAUSES,
  ...BY_PEOPLE,
  ...ELSEWHERE,
  ...OF_SYSTEMS,
]
