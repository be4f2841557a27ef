import { DiskFiles } from '../files/disk/disk.ts'
import { handlersOf } from '../http/app.ts'
import { Executor } from '../worker/executor.ts'
import { loadApp } from './app.ts'

// node src/cli/executor.ts <concurrency> <app file> <files folder>
const [concurrency = '1', file = '', folder = ''] = process.argv.slice(2)
process.title = 'errand executor'

// A terminal's ctrl-C and a supervisor's stop may reach every process; an executor ends with its foreman.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)

await Executor.start(
  async () => {
    const app = await loadApp(file)
    const { start, stop } = app
    return { handlers: await handlersOf(app), ...(start && { start }), ...(stop && { stop }) }
  },
  new DiskFiles(folder),
  Number(concurrency),
)
