import type { Definition } from '../job/define.ts'
import { ErrandError } from '../job/errors.ts'
import type { Claimed, JobId } from '../job/job.ts'
import { readChoice, readCount, refuseUnknown } from '../job/options.ts'

/**
 * What may go wrong with one run of a job:
 * `throwBefore`: it fails before its handler is called.
 * `crashAfter`: its handler did its work, then its process died: nobody heard what came of it, and it runs again.
 * `lateResult`: its worker was taken for dead just before it said what came of it. Another one runs the job again,
 * and the first result is refused.
 * `runTwice`: the same, while it runs: two runs go on at the same time, and the result of the first is refused.
 * `timeOut`: its soft limit comes as soon as its handler waits for anything.
 */
export const FAULTS = ['throwBefore', 'crashAfter', 'lateResult', 'runTwice', 'timeOut'] as const
export type Fault = (typeof FAULTS)[number]

/** Which run of which job meets which fault. */
export type PlannedFault = {
  job: string | Definition
  /** The how manieth run of each such job, whatever became of those before: the first unless said. */
  run?: number
  fault: Fault
}

type Planned = { job: string; run: number; fault: Fault; hasCome: boolean }

/** What is to go wrong, and how often each job has run so far. */
export class FaultPlan {
  readonly #planned: readonly Planned[]
  readonly #runs = new Map<JobId, number>()

  /** @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION, UNKNOWN_JOB */
  constructor(faults: readonly PlannedFault[], known: ReadonlySet<string>) {
    this.#planned = faults.map((planned) => read(planned, known))
  }

  /** What goes wrong with the run of this job that is about to begin. */
  next({ id, job }: Claimed): Fault | undefined {
    const run = (this.#runs.get(id) ?? 0) + 1
    this.#runs.set(id, run)
    const planned = this.#planned.find((one) => one.job === job && one.run === run)
    if (planned) planned.hasCome = true
    return planned?.fault
  }

  /** Faults that no run has met so far. */
  get left(): readonly PlannedFault[] {
    return this.#planned
      .filter(({ hasCome }) => !hasCome)
      .map(({ job, run, fault }) => ({ job, run, fault }))
  }
}

function read(planned: PlannedFault, known: ReadonlySet<string>): Planned {
  refuseUnknown(planned, ['job', 'run', 'fault'])
  const job = typeof planned.job === 'string' ? planned.job : planned.job.name
  // A fault that can never come would prove nothing.
  if (!known.has(job)) throw new ErrandError('UNKNOWN_JOB', { job, hint: '' })
  const run = readCount('faults.run', planned.run ?? 1, { min: 1 })
  return { job, run, fault: readChoice('faults.fault', planned.fault, FAULTS), hasCome: false }
}
