import { defineApp } from 'errand'
import { hireStandIn, standsIn } from '../common/stand-in.ts'
import { Breaker } from './breaker.ts'
import { Callbacks } from './callbacks.ts'
import {
  guidelineCallback,
  guidelineChecklist,
  guidelineChecklistCalledBack,
  llmLimit,
  turnLimit,
} from './contract.ts'
import { guidelineRoutes, metricsRoute, pageRoutes } from './routes.ts'
import { llmKey, llmUrl, millis, settings, type Settings } from './settings.ts'

const MOUNT = '/guidelines'

export type GuidelinesOptions = {
  /** Where it lives beside others. Alone it also answers at its document's own paths, `/jobs` and all. */
  mount?: typeof MOUNT
  settings?: Settings
  /** Who tells others of an end, where it is not the usual one. */
  callbacks?: Callbacks
}

export const guidelinesApp = ({
  mount,
  settings: own = settings,
  callbacks = new Callbacks(),
}: GuidelinesOptions = {}) =>
  defineApp({
    ...(mount && { mount, tryFirst: 'GET /health' }),
    ...(mount === undefined && { tryFirst: `GET ${MOUNT}/` }),
    about: 'paste a guideline, get its summary and a checklist',
    jobs: [guidelineChecklist, guidelineChecklistCalledBack, guidelineCallback],
    limits: [llmLimit, turnLimit],
    handlers: () => import('./handlers.ts'),
    settings: { ...own, LLM_KEY: undefined },
    start: async () => ({ guidelines: { ...(await openResources(own)), callbacks } }),
    routes: (app, { errand }) => {
      if (own.LLM_URL === undefined) hireStandIn(new URL('stand-in/main.ts', import.meta.url))
      const mounted = mount === undefined ? app.basePath(MOUNT) : app
      for (const place of mount === undefined ? [app, mounted] : [mounted]) {
        guidelineRoutes(place, errand)
        metricsRoute(place, errand)
      }
      pageRoutes(mounted)
    },
  })

/** Imported here, so that a server, which calls no LLM, never loads its client. */
async function openResources(own: Settings) {
  const { Llm } = await import('./llm.ts')
  if (own.LLM_URL === undefined) await standsIn(own.STAND_IN_PORT)
  return {
    llm: new Llm({
      url: llmUrl(own),
      model: own.LLM_MODEL,
      timeoutMs: millis(own.LLM_TIMEOUT),
      key: () => llmKey(own),
      keyGraceMs: millis(own.KEY_GRACE),
      isReplaceable: own.LLM_KEY_FILE !== undefined,
    }),
    breaker: new Breaker({
      failures: own.BREAKER_FAILURES,
      holdMs: millis(own.BREAKER_HOLD),
      retryAfterMaxMs: millis(own.RETRY_AFTER_MAX),
    }),
    // A job has two turns, and what it calls needs its time as well.
    patienceMs: Math.min(millis(own.TURN_PATIENCE), millis(own.SOFT_LIMIT) / 4),
  }
}

/** Beside the other systems. */
export const guidelines = guidelinesApp({ mount: MOUNT })

/** Alone. */
export default guidelinesApp()
