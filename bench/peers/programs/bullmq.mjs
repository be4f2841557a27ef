import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq'
import { Pool } from 'pg'
import { serve } from '../program.ts'

/** BullMQ, on Redis or on PostgreSQL as the URL says; completed jobs are removed, which is faster. */
const [url = ''] = process.argv.slice(2)
const isPostgres = url.startsWith('postgres')
const POOL_MAX = 20
const backend = isPostgres ? createPostgresBackend : undefined
const connection = isPostgres
  ? { connectionString: url, max: POOL_MAX }
  : { url, maxRetriesPerRequest: null }

await serve({
  async produce() {
    if (isPostgres) await migrate()
    const defaultJobOptions = { removeOnComplete: true }
    const queue = new Queue('bench', { connection, defaultJobOptions }, backend)
    await queue.waitUntilReady()
    return {
      add: (data) => queue.add('noop', data),
      addMany: (many) => queue.addBulk(many.map((data) => ({ name: 'noop', data }))),
      streamsInBatches: isPostgres,
      close: () => queue.close(),
    }
  },
  async work({ concurrency }, handle) {
    if (isPostgres) await migrate()
    const run = async ({ data }) => handle(data)
    const worker = new Worker('bench', run, { connection, concurrency }, backend)
    worker.on('error', (error) => console.error(error))
    await worker.waitUntilReady()
  },
})

async function migrate() {
  const pool = new Pool({ connectionString: url })
  const client = await pool.connect()
  await runMigrations(client)
  client.release()
  await pool.end()
}
