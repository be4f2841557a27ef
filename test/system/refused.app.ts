import { z } from 'zod'
import { defineApp, defineJob } from '../../src/index.ts'

const timeout = { soft: '5m', hard: '4m' } as const

/** Its limits contradict each other. */
export default defineApp({ jobs: [defineJob({ name: 'never.run', input: z.object({}), timeout })] })
