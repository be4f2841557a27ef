import { setTimeout as sleep } from 'node:timers/promises'
import { defineApp, defineJob } from 'errand'
import { z } from 'zod'

const add = defineJob({
  name: 'numbers.add',
  input: z.array(z.number()),
  run: async (numbers) => {
    await sleep(100)
    return numbers.reduce((sum, one) => sum + one, 0)
  },
})

/** An app that needs two things from outside, one of which cannot be had where a test says so. */
export default defineApp({
  jobs: [add],
  checks: {
    abacus: () => undefined,
    bank: async () => {
      if (process.env['BANK_IS_CLOSED']) throw new Error('no answer from bank.example:443')
    },
  },
})
