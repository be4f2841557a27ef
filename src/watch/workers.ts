import { readOwn } from '../base/json.ts'
import { readVitals, type Vitals } from '../job/vitals.ts'
import { iso, readValue } from '../job/view.ts'
import type { Lookout } from '../store/contract.ts'

export type WorkerView = {
  id: string
  alive: boolean
  running: number
  registeredAt: string
  leaseUntil: string
} & Partial<Vitals> &
  Partial<WorkerInfo>
/** None of its executors keeps up, so it takes no more jobs. */
export const isOverloaded = ({ alive, overloaded = 0, processes = 0 }: WorkerView): boolean =>
  alive && processes > 0 && overloaded >= processes

/** What a worker says of itself when it registers. */
export type WorkerInfo = {
  host: string
  pid: number
  node: string
  queues: readonly string[]
  concurrency: number
  processes: number
  release?: string
  /** A digest of what processes on one store should agree on. */
  settings?: string
  /** The same of its app, where that names them. */
  appSettings?: string
  /** By what the schedules that the code of its app names are known. */
  schedules?: string
}

export async function readWorkers(
  lookout: Pick<Lookout, 'workers' | 'metrics'>,
): Promise<WorkerView[]> {
  const [rows, metrics] = await Promise.all([lookout.workers(), lookout.metrics()])
  const vitals = readVitals(metrics.map(readValue))
  return rows.map(({ info, registeredAt, leaseUntil, ...rest }) => {
    return {
      ...rest,
      registeredAt: iso(registeredAt),
      leaseUntil: iso(leaseUntil),
      ...(rest.alive && vitals.get(rest.id)),
      ...readOwn<Partial<WorkerInfo>>(info, {}),
    }
  })
}
