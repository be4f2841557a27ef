import type { Resources } from '../job/context.ts'
import { ErrandError } from '../job/errors.ts'
import type { App } from './app.ts'
import type { AppSchedule } from './schedule.ts'

/**
 * An app and its guests as one. Each keeps its mount, its routes and its handlers, and its cron rules their zone.
 * @throws ErrandError INVALID_OPTION (a guest without a mount of its own, or one that says who may come in)
 */
export function join(host: App, guests: readonly App[]): App {
  checkGuests(host, guests)
  const all = [host, ...guests]
  return {
    ...host,
    apps: guests,
    jobs: all.flatMap(({ jobs }) => jobs),
    handlers: () => gather(all),
    limits: all.flatMap(({ limits = [] }) => limits),
    schedules: all.flatMap(zonedSchedules),
    checks: Object.fromEntries(all.flatMap(({ checks = {} }) => Object.entries(checks))),
    settings: Object.fromEntries(all.map(({ mount = '/', settings }) => [mount, settings])),
    start: async () => {
      const started: Partial<Resources> = {}
      for (const app of all) Object.assign(started, await app.start?.())
      return started
    },
    stop: async (resources) => {
      for (const app of all.toReversed()) await app.stop?.(resources)
    },
    routes: async (routes, desk) => {
      for (const { mount = '/', routes: theirs } of guests)
        await theirs?.(routes.basePath(mount), desk)
      await host.routes?.(routes, desk)
    },
  }
}

/** What their modules export, told apart where two export the same name. */
async function gather(apps: readonly App[]): Promise<Record<string, unknown>> {
  const modules = await Promise.all(apps.map(async ({ handlers }) => handlers?.()))
  const exported = modules.flatMap((module, i) =>
    Object.entries(module ?? {}).map(([name, value]) => [`${i} ${name}`, value]),
  )
  return Object.fromEntries(exported)
}

const zonedSchedules = ({ schedules = [], timeZone }: App): AppSchedule[] =>
  schedules.map((schedule) =>
    schedule.options.cron === undefined || timeZone === undefined
      ? schedule
      : { ...schedule, options: { zone: timeZone, ...schedule.options } },
  )

function checkGuests(host: App, guests: readonly App[]): void {
  const refuse = (problem: string) => {
    throw new ErrandError('INVALID_OPTION', { option: 'apps', problem })
  }
  if (host.mount !== undefined)
    refuse('live beside each other: the app that names them has no mount')
  const mounts = guests.map(({ mount }) => mount)
  for (const [i, { mount, authenticate }] of guests.entries()) {
    if (mount === undefined) refuse('need a mount each')
    if (mounts.indexOf(mount) < i) refuse(`have the mount ${mount} twice`)
    if (authenticate)
      refuse(`are open to whom the app that names them lets in, so ${mount} may not say it`)
  }
}
