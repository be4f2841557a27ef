import { defineApp, defineSchedule } from 'errand'
import { hireStandIn, standsIn } from '../common/stand-in.ts'
import { Carrier } from './carrier.ts'
import { carrierLimit, nightly, report, send, sweep, unsent } from './contract.ts'
import { Messages } from './messages.ts'
import { reportRoutes } from './routes.ts'
import { fillSample } from './sample.ts'
import { settings, type Settings } from './settings.ts'
import { PORT } from './stand-in/port.ts'

/** The app over these settings; a test gives its own. */
export const reportsApp = (given: Partial<Settings> = {}) => {
  const own = { ...settings, ...given }
  const messages = new Messages(own.source)
  return defineApp({
    mount: '/reports',
    about: 'Messages, and reports of them over 1, 3, 5 and 7 days.',
    tryFirst: 'POST /download/messages?days=3',
    jobs: [report, send, unsent, nightly, sweep],
    origins: own.origins,
    open: ['/widget.js', '/widget.css'],
    handlers: () => import('./handlers.ts'),
    settings: own,
    limits: [carrierLimit],
    timeZone: own.zone,
    schedules: [
      defineSchedule({
        name: 'reports.nightly',
        job: nightly,
        input: {},
        cron: own.nightly,
        overlap: 'skip',
      }),
      defineSchedule({ name: 'reports.sweep', job: sweep, input: {}, cron: own.sweep }),
    ],
    start: async () => {
      if (own.carrierUrl === undefined) await standsIn(PORT)
      const carrier = new Carrier(own.carrierUrl ?? `http://127.0.0.1:${PORT}`)
      return { reports: { messages, carrier, rowsMax: own.rowsMax } }
    },
    routes: async (app, desk) => {
      if (own.carrierUrl === undefined) hireStandIn(new URL('stand-in/main.ts', import.meta.url))
      await messages.open()
      await fillSample(messages, own.service, own.sampleRows)
      await reportRoutes(messages, own)(app, desk)
    },
  })
}

export default reportsApp()
