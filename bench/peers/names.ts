/** What `--measures` knows, in the order they run. */
export const MEASURES = [
  'enqueue',
  'process',
  'pickup',
  'stream',
  'bytes',
  'snapshot',
  'backlog',
] as const

export type MeasureName = (typeof MEASURES)[number]

export type Unit = 'jobs/s' | 'ms' | 'bytes' | '×'

/** Every figure there is: its unit says whether more is better. */
export const FIGURES = {
  'enqueue, one awaiting caller': 'jobs/s',
  'enqueue, 100 concurrent callers': 'jobs/s',
  'enqueue, bulk of 1000': 'jobs/s',
  'enqueue, bulk of 1000, 4 callers': 'jobs/s',
  'process, inline, concurrency 100': 'jobs/s',
  'process, inline, concurrency 10': 'jobs/s',
  'process, worker with executors': 'jobs/s',
  'idle pickup, p50': 'ms',
  'idle pickup, p99': 'ms',
  'pickup at 5 000/s, p50': 'ms',
  'pickup at 5 000/s, p99': 'ms',
  'pickup at 5 000/s, kept up with': 'jobs/s',
  'bytes per waiting job': 'bytes',
  'many jobs, no snapshot': 'jobs/s',
  'many jobs, a snapshot held': 'jobs/s',
  'many jobs, a snapshot held, last tenth': 'jobs/s',
  'snapshot held / no snapshot': '×',
  'claim, few waiting': 'jobs/s',
  'claim, many waiting': 'jobs/s',
  'many waiting / few waiting': '×',
} as const satisfies Record<string, Unit>

export type FigureName = keyof typeof FIGURES

export type Figures = Partial<Record<FigureName, number>>
