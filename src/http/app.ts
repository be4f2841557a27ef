import type { Hono } from 'hono'
import type { BatchClient } from '../client/batch.ts'
import type { Client } from '../client/client.ts'
import type { Schedules } from '../client/schedules.ts'
import type { Resources } from '../job/context.ts'
import type { Definition, Handler, WholeJob } from '../job/define.ts'
import { ErrandError } from '../job/errors.ts'
import type { RateLimit } from '../job/rate.ts'
import { readCount, refuseUnknown } from '../job/options.ts'
import type { Watch } from '../watch/watch.ts'
import type { Links } from './links.ts'
import { join } from './join.ts'
import { type AppSchedule, checkSchedules } from './schedule.ts'

/** Who asks: found by an app's `authenticate`. */
export type Caller = { tenant?: string; person?: string; scopes?: readonly string[] }

/** What an app's own routes are given. */
export type Desk = Pick<
  Client,
  | 'enqueue'
  | 'enqueueMany'
  | 'enqueueOnce'
  | 'cancel'
  | 'retry'
  | 'signal'
  | 'erase'
  | 'discard'
  | 'openLimit'
  | 'record'
> &
  Pick<
    Watch,
    | 'job'
    | 'input'
    | 'why'
    | 'find'
    | 'result'
    | 'ended'
    | 'follow'
    | 'list'
    | 'artifact'
    | 'batch'
    | 'batches'
    | 'batchEnded'
    | 'items'
    | 'attempts'
    | 'steps'
    | 'signals'
    | 'logs'
    | 'audit'
    | 'queues'
    | 'workers'
    | 'limits'
    | 'metrics'
  > & {
    enqueueBatch: BatchClient['enqueue']
    cancelBatch: BatchClient['cancel']
    retryBatch: BatchClient['retry']
    schedules: Schedules
    /** A signed link to a file of a job; dies with the file, after 7 days at most. */
    link: Links['sign']
  }

/** Variables every request carries. */
export type Env = { Variables: { requestId: string; caller: Caller } }

/** What the command line loads. */
export type App = {
  /** Where the app's own routes live, such as `/documents`. */
  mount?: `/${string}`
  /** What it is, in a sentence; shown where the server begins. */
  about?: string
  /** Other apps that live here too, each at a mount of its own. Who may come in is said by this one, for all. */
  apps?: readonly App[]
  jobs: readonly (Definition | WholeJob)[]
  /** Imported by executors only, so that heavy libraries stay out of the server. */
  handlers?: () => Promise<Record<string, unknown>>
  /** What its handlers may `take` from. */
  limits?: readonly RateLimit[]
  /** Called once per executor, before its first job. */
  start?: () => Partial<Resources> | Promise<Partial<Resources>>
  /** Called once per executor, after its last job. */
  stop?: (resources: Partial<Resources>) => void | Promise<void>
  /** The app's own pages and routes, below its mount. */
  routes?: (app: Hono<Env>, desk: { errand: Desk }) => void | Promise<void>
  /** Other origins, such as `https://www.example.org`, whose pages may ask its own routes, with credentials. */
  origins?: readonly string[]
  /** Paths below its mount that anybody may read, whoever `authenticate` lets in: a script, a style. */
  open?: readonly `/${string}`[]
  /** Jobs that are enqueued by the clock: what `defineSchedule` makes. */
  schedules?: readonly AppSchedule[]
  /** The largest body that its own routes take, in bytes: 1 MiB unless said, 16 MiB at most. */
  bodyMax?: number
  /** The zone of cron rules that name none; UTC unless said. */
  timeZone?: string
  /** What it needs from outside, by name: each throws where that cannot be had. `errand doctor` asks them. */
  checks?: Readonly<Record<string, () => void | Promise<void>>>
  /** What its own settings came to. A digest of it tells, in `errand doctor`, where processes on one store differ. */
  settings?: Readonly<Record<string, unknown>>
  /** A request worth trying first, below the mount; shown when the app is started. */
  tryFirst?: `${'GET' | 'POST'} /${string}`
  /** Maps a request to who asks; undefined is refused with 401. */
  authenticate?: (request: Request) => Caller | undefined | Promise<Caller | undefined>
}

const KNOWN = [
  'mount',
  'about',
  'apps',
  'jobs',
  'limits',
  'handlers',
  'start',
  'stop',
  'routes',
  'origins',
  'open',
  'schedules',
  'bodyMax',
  'timeZone',
  'checks',
  'settings',
  'tryFirst',
  'authenticate',
]

const BODY_BYTES_LIMIT = 16 * 1_048_576

/** What `defineApp` returned: it is not to be put together once more. */
const defined = new WeakSet<App>()

/**
 * Says what an app is: its jobs, their handlers, and what executors need.
 * @throws ErrandError UNKNOWN_OPTION, DUPLICATE_NAME, INVALID_OPTION, UNKNOWN_JOB, UNKNOWN_TIME_ZONE
 */
export function defineApp(own: App): App {
  if (defined.has(own)) return own
  refuseUnknown(own, KNOWN)
  const app = own.apps ? join(own, own.apps.map(defineApp)) : own
  check(app)
  defined.add(app)
  return app
}

function check(app: App): void {
  const names = app.jobs.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new ErrandError('DUPLICATE_NAME', { job: twice })
  checkSchedules(app)
  readCount('bodyMax', app.bodyMax ?? 0, { max: BODY_BYTES_LIMIT })
  const limit = app.limits?.find(
    ({ name }, i, all) => all.findIndex((one) => one.name === name) < i,
  )
  if (limit !== undefined)
    throw new ErrandError('INVALID_OPTION', {
      option: 'limits',
      problem: `names ${limit.name} twice`,
    })
}

/** The handlers of an app: those of jobs written in one piece, and those its module exports. */
export async function handlersOf(app: Pick<App, 'jobs' | 'handlers'>): Promise<Handler[]> {
  const whole = app.jobs.flatMap((job) => ('handler' in job ? [job.handler] : []))
  const exported = Object.values((await app.handlers?.()) ?? {}).filter(isHandler)
  return [...whole, ...exported]
}

const isHandler = (value: unknown): value is Handler =>
  typeof value === 'object' && value !== null && 'definition' in value && 'run' in value
