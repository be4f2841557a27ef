import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { settings } from './settings.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A worker in another process, and how to end it. */
export type WorkerProcess = AsyncDisposable & { child: ChildProcess }

/** Handlers run in the worker's own process. Resolves once it has registered. */
export async function startInline(store: string, folder: string): Promise<WorkerProcess> {
  const args = ['--store', store, '--durability', settings.durability]
  const child = fork(here('inline.ts'), args, { cwd: folder })
  const disposable = endedBy(child, () => child.disconnect())
  const gone = once(child, 'exit').then(() => Promise.reject(new Error('the worker did not start')))
  await Promise.race([once(child, 'message'), gone])
  return disposable
}

/** What `errand worker` starts when told nothing: a foreman and its executors. */
export function startExecutors(store: string, folder: string): WorkerProcess {
  const args = ['worker', '--app', here('../noop.app.ts'), '--store', store]
  const child = spawn(here('../../bin/errand'), args, {
    cwd: folder,
    env: { ...process.env, ERRAND_DURABILITY: settings.durability, ERRAND_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return endedBy(child, () => child.kill('SIGTERM'))
}

function endedBy(child: ChildProcess, end: () => void): WorkerProcess {
  const exited = once(child, 'exit')
  return {
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      end()
      await exited
    },
  }
}
