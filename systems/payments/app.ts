import { defineApp } from 'errand'
import { hireStandIn, standsIn } from '../common/stand-in.ts'
import { Backend } from './backend.ts'
import { cancel, confirm, create } from './contract.ts'
import { paymentRoutes } from './routes.ts'
import { settings, STAND_IN_PORT } from './settings.ts'

const STAND_IN = `http://127.0.0.1:${STAND_IN_PORT}`

/** The app before a backend; without one it brings a stand-in along. */
export const paymentsApp = (backendUrl = settings.backendUrl) =>
  defineApp({
    mount: '/payments',
    about:
      'Mass payments of up to 5000 rows, processed and confirmed in the background, each once.',
    tryFirst: 'GET /mass-payments',
    bodyMax: 8_388_608,
    jobs: [create, confirm, cancel],
    handlers: () => import('./handlers.ts'),
    checks:
      backendUrl === undefined
        ? {}
        : {
            [`payments backend at ${new URL(backendUrl).host}`]: async () => {
              const backend = new Backend(backendUrl, settings.readTimeoutMs)
              await backend.list({ client: '', page: 1, page_size: 1 })
            },
          },
    settings: { ...settings, backendUrl },
    start: async () => {
      if (backendUrl === undefined) await standsIn(STAND_IN_PORT)
      return { payments: new Backend(backendUrl ?? STAND_IN, settings.timeoutMs) }
    },
    routes: (app, desk) => {
      if (backendUrl === undefined) hireStandIn(new URL('stand-in/main.ts', import.meta.url))
      return paymentRoutes(backendUrl ?? STAND_IN, settings)(app, desk)
    },
  })

export default paymentsApp()
