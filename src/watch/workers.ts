import { readOwn } from '../base/json.ts'
import { readOverloads } from '../job/overload.ts'
import { iso, readValue } from '../job/view.ts'
import type { Lookout } from '../store/contract.ts'

export type WorkerView = {
  id: string
  alive: boolean
  running: number
  registeredAt: string
  leaseUntil: string
  /** How many of its executors cannot keep up; it hands those no more. */
  overloaded?: number
} & Partial<WorkerInfo>
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
  /** By what the schedules that the code of its app names are known. */
  schedules?: string
}

export async function readWorkers(
  lookout: Pick<Lookout, 'workers' | 'metrics'>,
): Promise<WorkerView[]> {
  const [rows, metrics] = await Promise.all([lookout.workers(), lookout.metrics()])
  const overloads = readOverloads(metrics.map(readValue))
  return rows.map(({ info, registeredAt, leaseUntil, ...rest }) => {
    const overloaded = rest.alive ? (overloads.get(rest.id) ?? 0) : 0
    return {
      ...rest,
      registeredAt: iso(registeredAt),
      leaseUntil: iso(leaseUntil),
      ...(overloaded > 0 && { overloaded }),
      ...readOwn<Partial<WorkerInfo>>(info, {}),
    }
  })
}
