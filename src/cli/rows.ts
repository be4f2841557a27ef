import {
  choice,
  count,
  folder,
  type Kind,
  names,
  processesDefault,
  sealKeys,
  secret,
  span,
  text,
  yesNo,
} from './kinds.ts'

export type Row<T> = Kind<T> & {
  env: string
  /** A name without our prefix that platforms set. */
  alias?: string
  /** Secrets have none: the command line of a process is there for all to read. */
  flag?: string
  about: string
  /** As a person would write it; `<data>` stands for the data folder. */
  default?: string
  /** Never printed, and may be read from the file that `…_FILE` names. */
  secret?: true
  /** A file in the data folder that says it where nothing else does. */
  kept?: string
}

const DAY_MS = 86_400_000
export const SEAL_KEY_FILE = 'seal.key'
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** Every setting: flags win over the environment, that over the default. */
export const SETTINGS = {
  data: {
    ...text,
    env: 'ERRAND_DATA',
    flag: '--data <folder>',
    default: '.errand',
    about: 'folder for all that is kept on this machine',
  },
  store: {
    ...text,
    env: 'ERRAND_STORE',
    flag: '--store <url>',
    default: 'sqlite:<data>/errand.db',
    about: 'where jobs are kept',
  },
  durability: {
    ...choice('full', 'normal', 'none'),
    env: 'ERRAND_DURABILITY',
    flag: '--durability <level>',
    default: 'full',
    about:
      'full: a commit survives a power cut; normal: a crash of the process; none: whatever the server does',
  },
  files: {
    ...folder,
    env: 'ERRAND_FILES',
    flag: '--files <url>',
    default: 'file:<data>/files',
    about: 'where artifacts are kept',
  },
  app: { ...text, env: 'ERRAND_APP', flag: '--app <file>', about: 'the app file' },
  linkKey: { ...secret, env: 'ERRAND_LINK_KEY', secret: true, about: 'signs links to artifacts' },
  sealKeys: {
    ...sealKeys,
    env: 'ERRAND_SEAL_KEYS',
    secret: true,
    kept: SEAL_KEY_FILE,
    about: 'keys for sealed data; the first seals, all of them open',
  },
  host: {
    ...text,
    env: 'ERRAND_HOST',
    alias: 'HOST',
    flag: '--host <address>',
    default: '127.0.0.1',
    about: 'address to listen on',
  },
  port: {
    ...count(0, 65_535),
    env: 'ERRAND_PORT',
    alias: 'PORT',
    flag: '--port <number>',
    default: '7373',
    about: 'port to listen on; 0 takes a free one',
  },
  insecure: {
    ...yesNo,
    env: 'ERRAND_INSECURE',
    flag: '--insecure',
    default: 'false',
    about: 'listen beyond this machine although the app asks nobody who they are',
  },
  queues: {
    ...names,
    env: 'ERRAND_QUEUES',
    flag: '--queues <names>',
    about: 'queues to work on, the first emptied first',
  },
  concurrency: {
    ...count(1, 1000),
    env: 'ERRAND_CONCURRENCY',
    flag: '--concurrency <number>',
    default: '10',
    about: 'jobs at a time, over all processes',
  },
  processes: {
    ...count(1, 64),
    env: 'ERRAND_PROCESSES',
    flag: '--processes <number>',
    default: `${processesDefault()}`,
    about: 'executors',
  },
  maxJobs: {
    ...count(1, 1e9),
    env: 'ERRAND_MAX_JOBS',
    flag: '--max-jobs <number>',
    default: '1000',
    about: 'jobs an executor runs before it is replaced',
  },
  maxMemory: {
    ...count(32, 1_048_576),
    env: 'ERRAND_MAX_MEMORY',
    flag: '--max-memory <mb>',
    default: '512',
    about: 'MB an executor may hold before it is replaced',
  },
  overloadMs: {
    ...span(10, DAY_MS),
    env: 'ERRAND_OVERLOAD',
    flag: '--overload <span>',
    default: '1s',
    about: 'by how much the event loop of an executor may be late before it is handed no more jobs',
  },
  leaseMs: {
    ...span(50, DAY_MS),
    env: 'ERRAND_LEASE',
    flag: '--lease <span>',
    default: '15s',
    about: 'after how long a silent worker is taken for dead',
  },
  renewMs: {
    ...span(10, DAY_MS),
    env: 'ERRAND_RENEW',
    flag: '--renew <span>',
    default: '5s',
    about: 'how often a worker renews its lease',
  },
  sweepMs: {
    ...span(10, DAY_MS),
    env: 'ERRAND_SWEEP',
    flag: '--sweep <span>',
    default: '2s',
    about: 'how often jobs of dead workers are looked for',
  },
  pollMs: {
    ...span(1, DAY_MS),
    env: 'ERRAND_POLL',
    flag: '--poll <span>',
    default: '1s',
    about: 'how often to look for work that nobody announced',
  },
  graceMs: {
    ...span(0, DAY_MS),
    env: 'ERRAND_GRACE',
    flag: '--grace <span>',
    default: '25s',
    about: 'how long what runs may go on after a stop was asked',
  },
  cancelGraceMs: {
    ...span(0, DAY_MS),
    env: 'ERRAND_CANCEL_GRACE',
    flag: '--cancel-grace <span>',
    default: '1s',
    about: 'how long a job may go on after its cancel was asked',
  },
  auditKeepMs: {
    ...span(0, 3660 * DAY_MS),
    env: 'ERRAND_AUDIT_KEEP',
    flag: '--audit-keep <span>',
    default: '90d',
    about: 'how long it is known who did what',
  },
  release: {
    ...text,
    env: 'ERRAND_RELEASE',
    flag: '--release <name>',
    about: 'what this build of the app is called, to be told apart from others',
  },
  logLevel: {
    ...choice(...LEVELS),
    env: 'ERRAND_LOG_LEVEL',
    flag: '--log-level <level>',
    default: 'info',
    about: LEVELS.join(', '),
  },
  failpoints: {
    ...text,
    env: 'ERRAND_FAILPOINTS',
    about: 'for tests: where a process dies on purpose',
  },
} as const satisfies Record<string, Row<unknown>>

type Rows = typeof SETTINGS
export type SettingName = keyof Rows
type Value<R extends Row<unknown>> = NonNullable<ReturnType<R['parse']>>
export type Settings = {
  readonly [N in SettingName]:
    | Value<Rows[N]>
    | (Rows[N] extends { default: string } ? never : undefined)
}

/** The folder that the `files` setting names. */
export const filesRoot = ({ files }: Pick<Settings, 'files'>): string => files.slice('file:'.length)
