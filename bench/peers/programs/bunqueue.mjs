import { Queue, shutdownManager, Worker } from 'bunqueue/client'
import { serve } from '../program.ts'

/** bunqueue inside one process, as its documentation has it for speed; jobs durable or buffered. */
const [dataPath = '', mode] = process.argv.slice(2)
const options = { durable: mode === 'durable', removeOnComplete: true }
const BATCH_MAX = 100
const POLL_MS = 5000
const queue = new Queue('bench', { embedded: true, dataPath, defaultJobOptions: options })

await serve({
  async produce() {
    return {
      add: (data) => queue.add('noop', data, options),
      addMany: (many) => queue.addBulk(many.map((data) => ({ name: 'noop', data, opts: options }))),
      close: async () => shutdownManager(),
    }
  },
  async work({ concurrency }, handle) {
    const batchSize = Math.min(concurrency, BATCH_MAX)
    const settings = { embedded: true, dataPath, concurrency, batchSize, pollTimeout: POLL_MS }
    const worker = new Worker('bench', async ({ data }) => handle(data), settings)
    worker.on('error', (error) => console.error(error))
  },
})
