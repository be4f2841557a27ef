import { z } from 'zod'
import { Days, FileName, Origin, type ReportInput } from './contract.ts'
import { settings, type Settings } from './settings.ts'
import { windowOf } from './window.ts'

/** A query has nothing but texts. */
const fromText = <Of extends z.ZodType>(pattern: RegExp, schema: Of) =>
  z.preprocess(
    (given) => (typeof given === 'string' && pattern.test(given) ? JSON.parse(given) : given),
    schema,
  )

/** What may be asked for. Whatever else is named is refused: it might be somebody's number. */
export const Query = z.strictObject({
  days: fromText(/^\d$/, Days),
  origin: Origin.default('all'),
})
export type Query = { days: ReportInput['days']; origin?: Origin }

/** And how, where a report is asked for rather than about. */
export const Wish = Query.extend({
  /** The name of the file, where the report is not being made yet. */
  filename: FileName.optional(),
  /** Once more, after a failure, after it expired, or when there was nothing to report. */
  again: fromText(/^(true|false)$/, z.boolean()).default(false),
})
export type Wish = Pick<z.infer<typeof Wish>, 'again' | 'filename'>

/** What is asked for as a job carries it: its window is reckoned here, once. */
export function inputOf(
  { days, origin = 'all' }: Query,
  service: string,
  filename?: string,
  at: Pick<Settings, 'step' | 'zone'> = settings,
): ReportInput {
  const window = windowOf(days, at)
  const until = untilIn(window.to, at)
  return { days, origin, ...window, filename: filename ?? nameOf(service, { days, origin, until }) }
}

/** Some services are called by a number: it might be somebody's, so there the name of the file goes without. */
function nameOf(service: string, { days, origin, until }: Required<Query> & { until: string }) {
  const kind = origin === 'all' ? '' : `-${origin}`
  const rest = `${kind}-${days}d-${until}.csv`
  const whole = FileName.safeParse(`messages-${service.replaceAll('@', '_')}${rest}`)
  return whole.data ?? `messages${rest}`
}

/** The end of a window as it stands in the name of a file: a day of the zone, or a moment in UTC. */
function untilIn(to: string, { step, zone }: Pick<Settings, 'step' | 'zone'>): string {
  if (step !== '1d') return to.slice(0, 19).replaceAll(':', '')
  return Temporal.Instant.from(to).toZonedDateTimeISO(zone).toPlainDate().toString()
}
