import { type Fault, faultOf, isErrand } from './fault.ts'

const EVERY_MS = 10_000

type Said = Fault & { times?: number; requestId?: string }

/**
 * Tells of an outage when it begins and then once in ten seconds, with how often it was met meanwhile: a store
 * that is away for an hour must not fill a disk. Other faults are told each time.
 */
export function seldom(
  tell: (said: Said) => void,
  now = () => performance.now(),
): (error: unknown, requestId?: string) => void {
  const told = new Map<string, { at: number; times: number }>()
  return (error, requestId) => {
    const fault = { ...faultOf(error), ...(requestId !== undefined && { requestId }) }
    if (!isErrand(error) || !error.code.startsWith('STORE_')) return tell(fault)
    const last = told.get(error.code)
    if (last !== undefined && now() - last.at < EVERY_MS) return void last.times++
    told.set(error.code, { at: now(), times: 1 })
    tell({ ...fault, ...(last !== undefined && last.times > 1 && { times: last.times }) })
  }
}
