import { z } from 'zod'
import { Days, FileName, Origin, type ReportInput } from './contract.ts'
import { settings, type Settings } from './settings.ts'
import { windowOf } from './window.ts'

/** What may be asked for, in a query or a body. */
export const Query = z.object({
  days: z.preprocess((days) => (typeof days === 'string' ? Number(days) : days), Days),
  origin: Origin.default('all'),
})
export type Query = { days: ReportInput['days']; origin?: Origin }

export const Wish = z.object({
  /** The name of the file, where the report is not being made yet. */
  filename: FileName.optional(),
  /** Once more, after a failure, after it expired, or when there was nothing to report. */
  again: z.boolean().default(false),
})
export type Wish = z.infer<typeof Wish>

/** What is asked for as a job carries it: its window is reckoned here, once. */
export function inputOf(
  { days, origin = 'all' }: Query,
  service: string,
  filename?: string,
  at: Pick<Settings, 'step' | 'zone'> = settings,
): ReportInput {
  const window = windowOf(days, at)
  const until = window.to.slice(0, at.step === '1d' ? 10 : 19).replaceAll(':', '')
  const kind = origin === 'all' ? '' : `-${origin}`
  return {
    days,
    origin,
    ...window,
    filename: filename ?? `messages-${service.replaceAll('@', '_')}${kind}-${days}d-${until}.csv`,
  }
}
