import type { Failure } from '../job/failure.ts'
import { iso } from '../job/view.ts'

/** What belongs to a job, as people see it. */

export type AttemptView = {
  fence: number
  worker: string
  startedAt: string
  endedAt: string
  outcome: string
  error?: Failure
}
/** A signal that was sent to a job. */
export type SignalView = { name: string; key: string; at: string; value: unknown }
/** What was recorded: what a step came to, or until when a wait lasts. */
export type StepView = { name: string; at: string; value?: unknown; until?: string }

export type LogView = { n: number; at: string; level: string; text: string; fence: number }

/** Of a wait people are told until when it lasts; of a call, what matters is the job that was called. */
export function told(name: string, value: unknown): Pick<StepView, 'value' | 'until'> {
  const [kind] = /^(sleep|signal|call):/.exec(name) ?? []
  if (kind === undefined) return { value }
  return kind !== 'call:' && typeof value === 'number' ? { until: iso(value) } : {}
}
