import { PgBoss } from 'pg-boss'
import { serve } from '../program.ts'

/** pg-boss, woken by NOTIFY, fetching whole batches and at once again while they come back full. */
const [url = ''] = process.argv.slice(2)
const BATCH = 1000
const boss = new PgBoss({ connectionString: url, useListenNotify: true })
boss.on('error', (error) => console.error(error))
await boss.start()
await boss.createQueue('bench', { notify: true })

await serve({
  async produce() {
    return {
      add: (data) => boss.send('bench', data),
      addMany: (many) =>
        boss.insert(
          'bench',
          many.map((data) => ({ data })),
        ),
      streamsInBatches: true,
      close: () => boss.stop({ graceful: false }),
    }
  },
  async work({ concurrency }, handle) {
    const options = {
      batchSize: concurrency < 100 ? concurrency : BATCH,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 0.5,
    }
    await boss.work('bench', options, async (jobs) => {
      for (const { data } of jobs) handle(data)
    })
  },
})
