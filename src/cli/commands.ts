import type { Command } from 'commander'
import type { Desk } from './desk.ts'

/** Says what a command takes and does. */
export type Define = (command: Command, desk: Desk) => void

type Entry = { group: string; about: string; load(): Promise<Define> }

const RUN = 'Run:'
const ACT = 'Act:'
const LOOK = 'Look:'
const KEEP = 'Keep:'

/** Every command. Its module is loaded when it is called, so that `errand --help` loads none. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  start: {
    group: RUN,
    about: 'Serve and work, and keep both alive.',
    load: async () => (await import('./commands/start.ts')).start,
  },
  serve: {
    group: RUN,
    about: 'Answer over HTTP; run no jobs.',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  worker: {
    group: RUN,
    about: 'Run jobs.',
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  canary: {
    group: LOOK,
    about: 'Send a job that does nothing through, to see whether jobs come through.',
    load: async () => (await import('./commands/canary.ts')).canary,
  },
  enqueue: {
    group: ACT,
    about: 'Hand in a job.',
    load: async () => (await import('./commands/enqueue.ts')).enqueue,
  },
  retry: {
    group: ACT,
    about: 'Give failed or cancelled jobs another life under the same id.',
    load: async () => (await import('./commands/retry.ts')).retry,
  },
  cancel: {
    group: ACT,
    about: 'End jobs before they have ended by themselves.',
    load: async () => (await import('./commands/cancel.ts')).cancel,
  },
  dead: {
    group: ACT,
    about: 'Go through failed jobs: list them, retry them, discard them.',
    load: async () => (await import('./commands/dead.ts')).dead,
  },
  signal: {
    group: ACT,
    about: 'Send a signal to a job, which may wait for it.',
    load: async () => (await import('./commands/signal.ts')).signal,
  },
  schedules: {
    group: LOOK,
    about: 'List schedules; pause, resume, run or preview one.',
    load: async () => (await import('./commands/schedules.ts')).schedules,
  },
  info: {
    group: LOOK,
    about: 'Show queues, workers and totals on one screen.',
    load: async () => (await import('./commands/info.ts')).info,
  },
  jobs: {
    group: LOOK,
    about: 'List jobs.',
    load: async () => (await import('./commands/jobs.ts')).jobs,
  },
  job: {
    group: LOOK,
    about: 'Show one job: times, attempts, log, files.',
    load: async () => (await import('./commands/job.ts')).job,
  },
  batches: {
    group: LOOK,
    about: 'List batches, or show one; cancel it, or retry what failed.',
    load: async () => (await import('./commands/batches.ts')).batches,
  },
  queues: {
    group: LOOK,
    about: 'Show what lies in each queue; pause or resume one.',
    load: async () => (await import('./commands/queues.ts')).queues,
  },
  limits: {
    group: LOOK,
    about: 'Show how many calls pass under each limit, or open one that is closed.',
    load: async () => (await import('./commands/limits.ts')).limits,
  },
  workers: {
    group: LOOK,
    about: 'List workers.',
    load: async () => (await import('./commands/workers.ts')).workers,
  },
  verify: {
    group: KEEP,
    about: 'Prove that every accepted job is accounted for.',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  audit: {
    group: KEEP,
    about: 'Show who did what to which jobs.',
    load: async () => (await import('./commands/audit.ts')).audit,
  },
  doctor: {
    group: KEEP,
    about: 'Check this installation, and show the settings in force.',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  migrate: {
    group: KEEP,
    about: 'Bring the store up to the schema of this release.',
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  export: {
    group: KEEP,
    about: 'Write all jobs to a file, for another store.',
    load: async () => (await import('./commands/export.ts')).exportJobs,
  },
  import: {
    group: KEEP,
    about: 'Take in the jobs that another store exported.',
    load: async () => (await import('./commands/import.ts')).importJobs,
  },
}
