import { appendFileSync } from 'node:fs'
import { defineApp, defineJob } from 'errand'
import { z } from 'zod'

/** Every run leaves a line in a file outside of all stores: what ran twice stands there twice. */
const write = defineJob({
  name: 'write',
  input: z.object({ ledger: z.string(), text: z.string() }),
  output: z.string(),
  run: ({ ledger, text }) => {
    appendFileSync(ledger, `${text}\n`)
    return text
  },
})

export default defineApp({ jobs: [write] })
