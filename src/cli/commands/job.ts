import { formatSpan } from '../../base/time.ts'
import { isEnded } from '../../job/state.ts'
import type { JobView } from '../../job/view.ts'
import type { AttemptView, LogView, StepView } from '../../watch/views.ts'
import type { Define } from '../commands.ts'
import { brief, clean, columns, type Print } from '../print.ts'

export const job: Define = (command, desk) => {
  command.argument('<id>', 'the job').action(async (given: string) => {
    const { print } = desk
    const id = given.toLowerCase()
    await using errand = await desk.errand()
    const view = await errand.watch.job(id)
    const { watch } = errand
    const [why, attempts, steps, signals, logs] = await Promise.all([
      watch.why(id),
      watch.attempts(id),
      watch.steps(id),
      watch.signals(id),
      watch.logs(id),
    ])
    print.show({ ...view, why, attempts, steps, signals, logs }, () =>
      [
        facts(print, view, isEnded(view.state) ? undefined : why.text),
        attemptsPart(print, attempts),
        valuesPart(print, 'steps', steps),
        valuesPart(print, 'signals', signals),
        logPart(print, logs),
        filesPart(print, view),
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
    )
  })
}

function facts(print: Print, view: JobView, why: string | undefined): string {
  const { reason, waitingFor, withErrors, cancelAsked, sealed, error, tags, result } = view
  const remarks = [
    reason,
    waitingFor && `for ${waitingFor}`,
    withErrors && 'with errors',
    cancelAsked && 'cancel asked',
    view.dropped && `${view.dropped.join(' and ')} kept no longer`,
    sealed && 'sealed',
  ]
  const said = remarks.filter((remark) => remark).join(', ')
  const rows = [
    ['job', view.job],
    ['id', view.id],
    ['state', `${print.state(view.state)}${said === '' ? '' : ` (${said})`}`],
    ['why', why],
    ['attempt', `${view.attempt} of ${view.attemptsMax}`],
    ['queue', `${view.queue}, priority ${view.priority}`],
    ['tenant', view.tenant],
    ['unique', view.unique],
    ['tags', tags?.join(', ')],
    ['hook of', view.subject],
    ['called by', view.parent],
    ['created', view.createdAt],
    ['due', view.runAt],
    ['wakes', view.wakesAt],
    ['started', view.startedAt],
    ['ended', ended(view)],
    ['progress', progressOf(view)],
    [
      'error',
      error && `${error.name}${error.code === undefined ? '' : ` ${error.code}`}: ${error.message}`,
    ],
    ['result', result === undefined ? undefined : JSON.stringify(result)],
  ]
  return columns(
    rows.flatMap(([name = '', value]) =>
      value === undefined
        ? []
        : [[print.heading(name), name === 'state' ? value : brief(value, 2000)]],
    ),
  )
}

function ended({ startedAt, endedAt }: JobView): string | undefined {
  if (endedAt === undefined || startedAt === undefined) return endedAt
  return `${endedAt}, ${formatSpan(Date.parse(endedAt) - Date.parse(startedAt))} after its start`
}

function progressOf({ progress }: JobView): string | undefined {
  if (progress === undefined) return undefined
  const { done, failed, total, status } = progress
  const parts = [
    done !== undefined && (total === undefined ? `${done} done` : `${done} of ${total} done`),
    failed && `${failed} failed`,
    status,
  ]
  return parts.filter((part) => part).join(', ')
}

function attemptsPart(print: Print, attempts: readonly AttemptView[]): string {
  if (attempts.length === 0) return ''
  const blocks = attempts.map(({ startedAt, endedAt, outcome, worker, error }) => {
    const took = formatSpan(Date.parse(endedAt) - Date.parse(startedAt))
    const head = `  ${startedAt}  ${print.paint('yellow', outcome)} after ${took} on ${worker}`
    const trace = error && clean(error.stack ?? `${error.name}: ${error.message}`)
    return trace === undefined ? head : `${head}\n${trace.replaceAll(/^/gm, '    ')}`
  })
  return [print.heading('attempts that did not complete'), ...blocks].join('\n')
}

function valuesPart(print: Print, title: string, parts: readonly StepView[]): string {
  if (parts.length === 0) return ''
  const rows = parts.map(({ name, at, value, until }) => [
    `  ${print.paint('gray', at)}`,
    clean(name),
    until === undefined ? spell(value) : `until ${until}`,
  ])
  return [print.heading(title), columns(rows)].join('\n')
}

const spell = (value: unknown): string =>
  value === undefined ? '' : brief(JSON.stringify(value), 80)

function logPart(print: Print, logs: readonly LogView[]): string {
  if (logs.length === 0) return ''
  const lines = logs.map(
    ({ at, level, text }) => `  ${print.paint('gray', at)} ${level.padEnd(5)} ${clean(text)}`,
  )
  return [print.heading('log'), ...lines].join('\n')
}

function filesPart(print: Print, { artifacts = [] }: JobView): string {
  if (artifacts.length === 0) return ''
  const rows = artifacts.map(({ file, type, bytes, expiresAt }) => [
    `  ${clean(file)}`,
    clean(type),
    `${bytes} bytes`,
    `kept until ${expiresAt}`,
  ])
  return [print.heading('files'), columns(rows)].join('\n')
}
