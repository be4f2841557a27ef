import { setTimeout as sleep } from 'node:timers/promises'
import { defineApp, defineJob } from 'errand'
import { z } from 'zod'

/** Jobs of the system tests: quick, slow, and one that tells which process runs it. */
const echo = defineJob({
  name: 'echo',
  input: z.object({ text: z.string() }),
  output: z.string(),
  run: ({ text }) => text,
})

const nap = defineJob({
  name: 'nap',
  input: z.object({ ms: z.number() }),
  attempts: 2,
  async run({ ms }, { progress, signal, attempt }) {
    progress({ done: process.pid, status: `attempt ${attempt}` })
    await sleep(ms, undefined, { signal })
    return process.pid
  },
})

export default defineApp({ jobs: [echo, nap] })
