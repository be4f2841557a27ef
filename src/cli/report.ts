import type { Code, ErrandError } from '../job/errors.ts'
import { FIRST_APP } from './app.ts'
import { isErrand } from './fault.ts'
import { clean, type Print } from './print.ts'

/** What to do next, where the message alone would leave a newcomer standing. */
const HINTS: Partial<Record<Code, string>> = { APP_NOT_FOUND: FIRST_APP }

/** Tells a person, or a program, why a command failed. */
export function report(error: unknown, print: Print): void {
  const { code, message, issues } = isErrand(error) ? error : bug(error)
  print.fail({ error: { code, message, ...(issues.length > 0 && { issues }) } }, () => {
    const places = issues.map(({ pointer, detail }) => `  ${pointer || '/'}: ${detail}`)
    const hint = isErrand(error) ? HINTS[error.code] : undefined
    return [`errand: ${message}`, ...places, ...(hint === undefined ? [] : [hint])]
      .map(clean)
      .join('\n')
  })
}

/** What nobody foresaw is shown with its stack: it is ours to mend. */
function bug(error: unknown): Pick<ErrandError, 'issues' | 'message'> & { code: string } {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'INTERNAL', message, issues: [] }
}
