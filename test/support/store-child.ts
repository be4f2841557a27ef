// A process that opens store files on demand and answers calls, each with the time it is to happen at.
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import type { Store, Topic } from '../../src/store/contract.ts'
import { HandClock } from './clock.ts'
import type { Reply, Request } from './processes.ts'
import { addUp } from './metrics.ts'
import { callOn } from './rotation.ts'

const clock = new HandClock()
let store: Store | undefined
let listening: Disposable[] = []

process.on('disconnect', () => process.exit())
process.on('message', (request: Request) => {
  clock.set(request.now)
  answer(request).then(
    (value) => send({ seq: request.seq, value }),
    (error: unknown) => send({ seq: request.seq, error: describe(error) }),
  )
})

const send = (reply: Reply) => process.send?.(reply)

async function answer({ verb, args, topic, file }: Request): Promise<unknown> {
  if (file !== undefined) return void (store = await SqliteStore.open(file, { clock }))
  if (store === undefined) throw new Error('no file is open')
  if (verb === 'close') return close(store)
  if (topic !== undefined) return listen(store, topic)
  if (verb === 'bury') return store.bury(addUp)
  return callOn(store, verb, args)
}

function listen(to: Store, topic: Topic): void {
  listening.push(to.listen(topic, () => send({ rung: topic })))
}

async function close(open: Store): Promise<void> {
  for (const ear of listening) ear[Symbol.dispose]()
  listening = []
  await open[Symbol.asyncDispose]()
  store = undefined
}

function describe(error: unknown): { message: string; code?: string } {
  if (!(error instanceof Error)) return { message: String(error) }
  const code = 'code' in error ? String(error.code) : undefined
  return { message: error.stack ?? error.message, ...(code !== undefined && { code }) }
}
