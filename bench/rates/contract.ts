import { defineJob } from 'errand'
import { z } from 'zod'

/** One call of somebody who may not be called too often. */
export const call = defineJob({ name: 'call', input: z.object({}), timeout: '10m' })
