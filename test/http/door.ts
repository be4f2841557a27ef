import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { Client } from '../../src/client/client.ts'
import { Pauses } from '../../src/client/pauses.ts'
import { Schedules } from '../../src/client/schedules.ts'
import { nextCron } from '../../src/cron.ts'
import { DiskFiles } from '../../src/files/disk/disk.ts'
import type { App } from '../../src/http/app.ts'
import { Links } from '../../src/http/links.ts'
import { buildServer, type ServerSettings } from '../../src/http/server.ts'
import { defineJob } from '../../src/job/define.ts'
import type { Artifact } from '../../src/job/job.ts'
import type { Lookout, Store } from '../../src/store/contract.ts'
import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { Watch } from '../../src/watch/watch.ts'
import { Hand } from '../support/hand.ts'
import { bytes, completed, DAY, failed } from '../support/jobs.ts'

export const greet = defineJob({
  name: 'person.greet',
  input: z.object({ name: z.string().min(1), tags: z.array(z.string()).optional() }),
  attempts: 1,
})
export const anything = defineJob({ name: 'thing.keep', input: z.unknown(), queue: 'things' })

export type Door = Awaited<ReturnType<typeof openDoor>>

/** A server on a store in memory, and a hand that works off its jobs. It may be lent the store another way to look. */
export async function openDoor(
  app: Partial<App> = {},
  settings: Partial<ServerSettings> = {},
  lend: (store: Store) => Lookout = (store) => store,
) {
  const store = await SqliteStore.open(':memory:')
  const root = await mkdtemp(join(tmpdir(), 'errand-http-'))
  const files = new DiskFiles(root)
  const links = new Links(Buffer.alloc(32, 7))
  const watch = new Watch(lend(store))
  const client = new Client(store, [greet, anything], { files })
  const schedules = new Schedules(store, (job) => client.definition(job), { next: nextCron })
  const errand = { client, watch, store, schedules, pauses: new Pauses(store) }
  const server = await buildServer({
    errand,
    app: { jobs: [greet, anything], ...app },
    links,
    files,
    settings: { version: '1.2.3', ...settings },
  })
  const hand = await Hand.register(store)

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    server.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    })

  return {
    ...errand,
    files,
    server,
    links,
    hand,
    post,
    remove: (path: string) => server.request(path, { method: 'DELETE' }),
    get: (path: string, headers: Record<string, string> = {}) => server.request(path, { headers }),
    /** Submits a greeting and answers its id. */
    submit: async (headers: Record<string, string> = {}) =>
      idOf(await post('/v1/jobs', { job: 'person.greet', input: { name: 'Ada' } }, headers)),
    complete: async (result: unknown, artifacts: Parameters<typeof completed>[0] = {}) =>
      hand.settle(
        await hand.claimOne(),
        completed({ result: bytes(JSON.stringify(result)), ...artifacts }),
      ),
    fail: async () =>
      hand.settle(
        await hand.claimOne(),
        failed({ error: bytes('{"name":"Error","message":"no","stack":"at /inside"}') }),
      ),
    /** Ends the next job with one file. */
    leave: async (file: string, content: string, over: Partial<Artifact> = {}) => {
      const held = await hand.claimOne()
      const place = { id: held.id, fence: held.fence, file }
      const written = await files.write(place, streamOf(content), 1_000_000)
      const artifact = { file, type: 'text/csv', keepMs: DAY, ...written, ...over }
      await hand.settle(held, completed({ artifacts: [artifact] }))
      return written
    },
    [Symbol.asyncDispose]: async () => {
      errand.watch[Symbol.dispose]()
      await store[Symbol.asyncDispose]()
      await rm(root, { recursive: true })
    },
  }
}

async function* streamOf(content: string) {
  yield bytes(content)
}

const Anything = z.record(z.string(), z.unknown())

/** The JSON object of an answer. */
export const read = async (answer: Response): Promise<Record<string, unknown>> =>
  Anything.parse(await answer.json())

export const idOf = async (answer: Response): Promise<string> =>
  z.string().parse((await read(answer)).id)
