import { Session } from 'node:inspector'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { parentPort, workerData } from 'node:worker_threads'
import { monotonic } from '../base/time.ts'
import { WHO_RUNS } from './current.ts'
import type { Ask, Tell } from './lifeline.ts'

// A thread that runs no user code: it ends the process when its keeper is gone, or when the time its
// keeper gave is over because the keeper is frozen or cut off. Nothing on the main thread can stop it.
const { fd, graceMs }: { fd: number; graceMs: number } = workerData
const FREE_WITHIN_MS = 200
/** It is halted at its next step: only a machine with too much to do takes longer. */
const PAUSED_WITHIN_MS = 1000

const pipe = new Socket({ fd })
let deadline: NodeJS.Timeout | undefined

pipe.on('error', () => undefined).on('close', () => setTimeout(end, graceMs))
createInterface({ input: pipe })
  .on('error', () => undefined)
  .on('line', (line) => obey(JSON.parse(line)))

function obey(ask: Ask): void {
  if ('who' in ask) return void who()
  clearTimeout(deadline)
  deadline = setTimeout(end, ask.until - monotonic())
}

/** Its whole group, so that what handlers started ends too. */
function end(): void {
  try {
    process.kill(-process.pid, 'SIGKILL')
  } catch {
    process.kill(process.pid, 'SIGKILL')
  }
}

async function who(): Promise<void> {
  const isFree = await within(FREE_WITHIN_MS, (resolve) => {
    parentPort?.once('message', () => resolve(true))
    parentPort?.postMessage('here?')
  })
  const blocker = isFree ? undefined : await within(PAUSED_WITHIN_MS, inspect)
  const told: Tell = { isFree: isFree === true, ...(blocker && { blocker }) }
  pipe.write(`${JSON.stringify(told)}\n`)
}

/** Halts the main thread where it is, and asks there whose work it does. */
function inspect(resolve: (id: string | undefined) => void): void {
  const session = new Session()
  session.connectToMainThread()
  session.once('Debugger.paused', ({ params: { callFrames } }) => {
    const callFrameId = callFrames[0]?.callFrameId ?? ''
    const expression = `globalThis[Symbol.for('${WHO_RUNS}')]?.()`
    session.post(
      'Debugger.evaluateOnCallFrame',
      { callFrameId, expression, returnByValue: true },
      (_, answer) => {
        session.disconnect()
        const value: unknown = answer?.result.value
        resolve(typeof value === 'string' ? value : undefined)
      },
    )
  })
  session.post('Debugger.enable')
  session.post('Debugger.pause')
}

async function within<T>(ms: number, ask: (resolve: (value: T) => void) => void) {
  const { promise, resolve } = Promise.withResolvers<T | undefined>()
  const late = setTimeout(() => resolve(undefined), ms)
  ask(resolve)
  return promise.finally(() => clearTimeout(late))
}
