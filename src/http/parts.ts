import type { Client } from '../client/client.ts'
import type { Pauses } from '../client/pauses.ts'
import type { Schedules } from '../client/schedules.ts'
import type { Files } from '../files/contract.ts'
import type { Store } from '../store/contract.ts'
import type { Watch } from '../watch/watch.ts'
import type { App } from './app.ts'
import type { Links } from './links.ts'

/** What the door needs of an opened Errand. */
export type ServerErrand = {
  readonly client: Client
  readonly watch: Watch
  readonly schedules: Schedules
  readonly pauses: Pauses
  readonly store: Pick<Store, 'about'>
}

export type ServerSettings = {
  version: string
  /** What tells its release and its settings apart from those of others. */
  build?: { release?: string; settings: string; appSettings?: string }
  /** The address listened on. On loopback the Host header must name this machine. */
  host?: string
  /** Aborted when the server is about to close: it is not ready any more, and nobody is kept waiting. */
  draining?: AbortSignal
  /** The processes beside this one that die as soon as they are started. */
  troubles?: () => readonly string[]
  /** Told of every answer of 500 and above. The request id is the one its caller saw. */
  onError?: (error: unknown, requestId: string) => void
  /** Told of every answer. */
  onRequest?: (answered: Answered) => void
}

export type Answered = {
  requestId: string
  method: string
  route: string
  status: number
  ms: number
}

/** What every noun of the door is built from. */
export type Parts = {
  errand: ServerErrand
  app: App
  links: Links
  files: Files
  settings: ServerSettings
}
