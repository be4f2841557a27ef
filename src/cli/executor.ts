import { flushCompileCache } from 'node:module'
import { DiskFiles } from '../files/disk/disk.ts'
import { handlersOf } from '../http/app.ts'
import { plannedBy } from '../http/schedule.ts'
import { Keyring } from '../job/seal.ts'
import { canary } from './canary.ts'
import { Executor } from '../worker/executor.ts'
import { digestOfApp, loadApp } from './app.ts'
import { readSettings } from './settings.ts'

// node src/cli/executor.ts <concurrency> <scratch folder> <app file> <files folder>
const [concurrency = '1', scratch = '', file = '', folder = ''] = process.argv.slice(2)
process.title = 'errand executor'
// Whoever read what handlers print may be gone: that is not the handlers' failure.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
const { sealKeys } = readSettings().settings
const keys = sealKeys === undefined ? undefined : Keyring.read(sealKeys)

// A terminal's ctrl-C and a supervisor's stop may reach every process; an executor ends with its foreman.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)

await Executor.start(
  async () => {
    const app = await loadApp(file)
    const { limits, start, stop } = app
    const [handlers, planned] = await Promise.all([handlersOf(app), plannedBy(app, keys)])
    return {
      handlers: [...handlers, canary.handler],
      ...(limits && { limits }),
      ...(planned && { planned }),
      ...digestOfApp(app),
      ...(start && { start }),
      ...(stop && { stop }),
    }
  },
  {
    files: new DiskFiles(folder),
    concurrency: Number(concurrency),
    scratch,
    keys,
  },
)
// Written now: an executor that is killed would leave its successor to compile all this again.
flushCompileCache()
