import { defineJob } from '../job/define.ts'
import type { Schema } from '../job/schema.ts'

/** Takes anything: what a canary carries is nobody's. */
const anything: Schema = {
  '~standard': { version: 1, vendor: 'errand', validate: (value) => ({ value }) },
}

/** A job that every worker knows and that does nothing: where it comes through, jobs come through. */
export const canary = defineJob({
  name: 'errand.canary',
  input: anything,
  attempts: 1,
  priority: 0,
  keep: { record: '1h', failed: '1h' },
  run: () => 'alive',
})
