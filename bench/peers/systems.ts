import { fileURLToPath } from 'node:url'

export type ServerKind = 'redis' | 'postgres' | 'file'

/** A job queue on a kind of server, and how it is started. */
export type System = {
  id: string
  title: string
  server: ServerKind
  durability: string
  settings: string
  /** Its file here; the ending says what runs it. */
  program: string
  /** What its program is told after the URL. */
  mode?: string
  /** Its packages, and those it needs, in `programs/package.json`. */
  packages?: readonly string[]
  /** Roughly what it processes in a few seconds: so many are enqueued beforehand. */
  jobs: number
  /** Producer and worker are one process, as it cannot be shared by two. */
  isOneProcess?: boolean
  /** It takes a million jobs in reasonable time. */
  isFilledFast?: boolean
  isErrand?: boolean
  /** It knows no concurrency within a process. */
  isSequential?: boolean
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
/** Debian's own, which knows Debian's packages. */
export const PYTHON = '/usr/bin/python3'
export const BUN = here('programs/node_modules/.bin/bun')

const DURABILITY: Record<ServerKind, string> = {
  redis: 'AOF everysec',
  postgres: 'synchronous_commit on',
  file: 'SQLite, synchronous full',
}

function errand(server: ServerKind, title: string): System {
  return {
    id: server === 'file' ? 'errand-sqlite' : `errand-${server}`,
    title,
    server,
    durability: DURABILITY[server],
    settings: 'as shipped: completed jobs kept for a day; durability full',
    program: 'errand.ts',
    jobs: 200_000,
    isFilledFast: true,
    isErrand: true,
  }
}

const peer = (
  id: string,
  title: string,
  server: ServerKind,
  rest: Omit<System, 'id' | 'title' | 'server' | 'durability'> & { durability?: string },
): System => ({ id, title, server, durability: DURABILITY[server], ...rest })

const bullmq = {
  settings: 'removeOnComplete; on PostgreSQL a pool of 20',
  program: 'programs/bullmq.mjs',
  packages: ['bullmq'],
  isFilledFast: true,
}
const graphile = {
  settings: 'as it comes; pool of 20',
  program: 'programs/graphile-worker.mjs',
  packages: ['graphile-worker'],
  isFilledFast: true,
}
const bunqueue = {
  program: 'programs/bunqueue.mjs',
  packages: ['bunqueue', 'bun'],
  isOneProcess: true,
}

export const SYSTEMS: readonly System[] = [
  errand('redis', 'Errand on Redis'),
  peer('bullmq', 'BullMQ', 'redis', { ...bullmq, jobs: 50_000 }),
  peer('celery', 'Celery', 'redis', {
    settings: 'solo pool, 64 ahead, results ignored; 20 threads enqueue',
    program: 'programs/celery_peer.py',
    jobs: 4000,
    isSequential: true,
  }),
  peer('rq', 'RQ', 'redis', {
    settings: 'SimpleWorker, results not kept; 20 threads enqueue',
    program: 'programs/rq_peer.py',
    jobs: 2000,
    isSequential: true,
  }),
  errand('postgres', 'Errand on PostgreSQL'),
  peer('bullmq-postgres', 'BullMQ on PostgreSQL', 'postgres', { ...bullmq, jobs: 5000 }),
  peer('pg-boss', 'pg-boss', 'postgres', {
    settings: 'NOTIFY; batches of 1000, of 10 at concurrency 10, fetched in bursts',
    program: 'programs/pg-boss.mjs',
    packages: ['pg-boss'],
    jobs: 50_000,
    isFilledFast: true,
  }),
  peer('graphile-worker', 'graphile-worker', 'postgres', { ...graphile, jobs: 8000 }),
  peer('graphile-local-queue', 'graphile-worker, local queue', 'postgres', {
    ...graphile,
    settings: 'local queue of 1000, completions gathered; pool of 20',
    mode: 'local-queue',
    jobs: 80_000,
  }),
  errand('file', 'Errand on SQLite'),
  peer('bunqueue', 'bunqueue, durable', 'file', {
    ...bunqueue,
    durability: 'SQLite, synchronous normal',
    settings: 'embedded, durable jobs, removeOnComplete; one process on Bun',
    mode: 'durable',
    jobs: 10_000,
  }),
  peer('bunqueue-buffered', 'bunqueue, buffered', 'file', {
    ...bunqueue,
    durability: 'SQLite, 10 ms in memory',
    settings: 'embedded, its default writes, removeOnComplete; one process on Bun',
    mode: 'buffered',
    jobs: 10_000,
    isFilledFast: true,
  }),
]

/** What is executed for a system, but for the URL and its mode. */
export function commandOf({ program, packages = [] }: System): [string, ...string[]] {
  const file = here(program)
  if (program.endsWith('.py')) return [PYTHON, file]
  return packages.includes('bun') ? [BUN, file] : [process.execPath, '--no-warnings', file]
}

/** Errand on the same kind of server. */
export const errandBeside = ({ server }: System): System | undefined =>
  SYSTEMS.find((system) => system.isErrand && system.server === server)
