import { defineApp } from 'errand'

/** An app that never gets as far as running a job. */
export default defineApp({ jobs: [], start: () => new Promise<never>(() => undefined) })
