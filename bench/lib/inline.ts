import { once } from 'node:events'
import { open } from 'errand'
import { noop, stamp } from './jobs.ts'
import { settings } from './settings.ts'

/** A worker with its handlers inline, in a process of its own: says `ready`, ends with the process above. */
const errand = await open(settings.store, { durability: settings.durability })
const worker = await errand.work({ jobs: [noop, stamp] }, { concurrency: 100 })

const above = once(process, 'disconnect')
process.send?.('ready')
await above
await worker.stop()
await errand[Symbol.asyncDispose]()
