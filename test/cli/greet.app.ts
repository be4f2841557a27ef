import { defineApp, defineJob } from 'errand'
import { z } from 'zod'

export const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string() }).meta({ examples: [{ name: "O'Ada" }] }),
  run: ({ name }) => `Hello ${name}`,
})

export default defineApp({ jobs: [greet] })
