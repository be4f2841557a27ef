import { defineApp } from 'errand'
import { noop } from './lib/jobs.ts'

export default defineApp({ jobs: [noop] })
