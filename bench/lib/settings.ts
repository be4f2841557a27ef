import { parseArgs } from 'node:util'

export type Durability = 'full' | 'normal'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    durability: { type: 'string', default: 'full' },
    runs: { type: 'string', default: '5' },
    waiting: { type: 'string', default: '10000' },
    worker: { type: 'string', default: 'inline' },
    store: { type: 'string', default: 'sqlite::memory:' },
  },
})

/** What the command line said; every program of `bench/` understands the same flags. */
export const settings = {
  /** A tenth of the jobs, to see that everything works. Its figures are not to be quoted. */
  quick: values.quick,
  durability: readOne('durability', values.durability, ['full', 'normal']),
  runs: readCount('runs', values.runs),
  /** Jobs in the backlog. */
  waiting: readCount('waiting', values.waiting),
  /** Where handlers run. */
  worker: readOne('worker', values.worker, ['inline', 'executors']),
  /** The URL that a worker in another process is given. */
  store: values.store,
}

/** How many jobs to measure with. */
export const scaled = (count: number): number => (settings.quick ? count / 10 : count)

function readOne<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const one = known.find((candidate) => candidate === value)
  if (one === undefined) throw new Error(`--${flag} needs one of ${known.join(', ')}`)
  return one
}

function readCount(flag: string, value: string): number {
  const count = Number(value)
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${flag} needs a whole number`)
  return count
}
