import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf } from '../../test/support/command.ts'
import { seeded } from '../lib/random.ts'

const THAW_MS = 100

/** Lets executors of these workers stand still, one after the other, each for so long, until it is disposed of. */
export function freezeExecutors(workers: readonly { pid: number }[], ms: number): AsyncDisposable {
  const over = new AbortController()
  const random = seeded(1)
  const executors = workers.flatMap(({ pid }) =>
    childrenOf(pid).filter(({ title }) => title.includes('executor')),
  )
  const freezing = (async () => {
    while (!over.signal.aborted) {
      const { pid } = executors[Math.floor(random() * executors.length)] ?? {}
      if (pid === undefined) return
      process.kill(pid, 'SIGSTOP')
      await sleep(ms)
      process.kill(pid, 'SIGCONT')
      await sleep(THAW_MS)
    }
  })()
  return {
    [Symbol.asyncDispose]: () => {
      over.abort()
      return freezing
    },
  }
}
