import { defineApp, defineJob, type Schema } from 'errand'
import { Ledger } from './ledger.ts'

/** What schedules fire in a run of `schedules.ts`: each run is written down where no store can forget it. */
const ledger = new Ledger(process.env['CHAOS_LEDGER'] ?? '/dev/null')

const nothing: Schema<Record<string, never>> = {
  '~standard': { version: 1, vendor: 'bench', validate: () => ({ value: {} }) },
}

export const tick = defineJob({
  name: 'tick',
  input: nothing,
  run: (_, { id, fence }) => ledger.write({ what: 'begin', id, fence, pid: process.pid }),
})

export default defineApp({ jobs: [tick] })
