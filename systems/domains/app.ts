import { defineApp, defineSchedule } from 'errand'
import { standsIn } from '../common/stand-in.ts'
import { openRecords } from './batch/open-records.ts'
import { adoptBatches, processBatch, processDomain } from './contract.ts'
import { domainRoutes } from './routes.ts'
import { type Settings, settings, STAND_IN_PORT } from './settings.ts'

/** The app under these settings; the environment's, unless others are given. */
export function domainsApp(own: Partial<Settings> = {}) {
  const mine = { ...settings, ...own }
  return defineApp({
    mount: '/domains',
    about: 'Reads batches of domains and tells what is found, live.',
    tryFirst: 'POST /sample',
    jobs: [processBatch, processDomain, adoptBatches],
    handlers: () => import('./handlers.ts'),
    // Errand tells of its store itself, and no password is wanted even as a digest.
    settings: { ...mine, store: undefined, database: undefined },
    schedules: [
      defineSchedule({
        name: 'domains.adopt',
        job: adoptBatches,
        input: {},
        every: mine.adoptMs,
        overlap: 'skip',
      }),
    ],
    start: async () => {
      // What reads the web is loaded by executors alone.
      const { Web } = await import('./scraper/web.ts')
      const records = await openRecords(mine.database, mine.store)
      if (mine.isHired) await standsIn(STAND_IN_PORT)
      return { domains: { web: new Web(mine), records, settings: mine } }
    },
    stop: async ({ domains }) => {
      domains?.web[Symbol.dispose]()
      await domains?.records[Symbol.asyncDispose]()
    },
    routes: domainRoutes(mine),
  })
}

export default domainsApp()
