import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { serve } from '../program.ts'

/** Graphile Worker as it comes, or with its local queue and with completions gathered. */
const [url = '', mode] = process.argv.slice(2)
const LOCAL_QUEUE = 1000
const logger = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message)
})
const utils = await makeWorkerUtils({ connectionString: url, logger })
await utils.migrate()

await serve({
  async produce() {
    return {
      add: (data) => utils.addJob('noop', data),
      addMany: (many) => utils.addJobs(many.map((payload) => ({ identifier: 'noop', payload }))),
      streamsInBatches: true,
      close: () => utils.release(),
    }
  },
  async work({ concurrency }, handle) {
    const batches = { localQueue: { size: LOCAL_QUEUE }, completeJobBatchDelay: 0 }
    const worker = {
      connectionString: url,
      concurrentJobs: concurrency,
      maxPoolSize: 20,
      ...(mode === 'local-queue' && batches),
    }
    const taskList = { noop: (payload) => handle(payload) }
    await run({ preset: { worker }, taskList, logger, noHandleSignals: true })
  },
})
