import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineApp } from '../../src/http/app.ts'
import type { Context } from '../../src/job/context.ts'
import { defineJob } from '../../src/job/define.ts'
import { anything } from '../support/schema.ts'

const input = anything()

const untilStopped = async ({ signal }: Context) => {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
}

export const echo = defineJob({ name: 'echo', input, run: (given) => given })
export const pid = defineJob({ name: 'pid', input, run: () => process.pid })

/** Tells its process and waits to be stopped. */
export const hang = defineJob({
  name: 'hang',
  input,
  run: (_, context) => {
    context.progress({ done: process.pid })
    return untilStopped(context)
  },
})

/** Tells its process and hears nothing ever again. */
export const spin = defineJob({
  name: 'spin',
  input,
  run: async (_, { log }) => {
    log.info(`${process.pid}`)
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    for (;;);
  },
})

/** Tells its process and waits for ever, whatever it is told. */
export const deaf = defineJob({
  name: 'deaf',
  input,
  run: (_, { progress }) => {
    progress({ done: process.pid })
    return new Promise<never>(() => undefined)
  },
})

/** Starts a process of its own and tells which. */
export const parent = defineJob({
  name: 'parent',
  input,
  run: (_, context) => {
    context.progress({ done: spawn('sleep', ['1000'], { stdio: 'ignore' }).pid ?? 0 })
    return untilStopped(context)
  },
})

/** Ends its process, as no handler should. */
export const leave = defineJob({
  name: 'leave',
  input,
  run: async () => {
    await new Promise((resolve) => setImmediate(resolve))
    process.exit(0)
  },
})

/** Throws where nobody catches, now or after its end. */
export const stray = defineJob({
  name: 'stray',
  input,
  run: (given, context) => {
    setImmediate(() => {
      throw new Error('a stray error')
    })
    return given === 'after' ? process.pid : untilStopped(context)
  },
})

/** Leaves something in its directory and waits. */
export const litter = defineJob({
  name: 'litter',
  input,
  run: (_, context) => {
    writeFileSync(join(context.dir, 'litter'), 'x')
    context.log.info(context.dir)
    return untilStopped(context)
  },
})

/** Ends, and leaves something behind that never lets go of the event loop. */
export const haunt = defineJob({
  name: 'haunt',
  input,
  run: () => {
    setTimeout(() => {
      for (;;);
    }, 20)
    return process.pid
  },
})

/** Takes memory without end. */
export const hoard = defineJob({
  name: 'hoard',
  input,
  run: async () => {
    for (const hoarded: unknown[] = []; ; await new Promise((resolve) => setImmediate(resolve)))
      hoarded.push(Array.from({ length: 100_000 }, (_, i) => `${i}`))
  },
})

const whenStuck = process.env['FIXTURE_STUCK_WHEN'] ?? ''
const whenBroken = process.env['FIXTURE_BROKEN_WHEN'] ?? ''

export default defineApp({
  jobs: [echo, pid, hang, spin, deaf, parent, leave, stray, litter, haunt, hoard],
  start: () => {
    if (existsSync(whenBroken)) throw new Error('cannot start now')
    return {}
  },
  stop: () => {
    if (existsSync(whenStuck)) throw new Error('cannot stop now')
  },
})
