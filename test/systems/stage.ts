import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { Links } from '../../src/http/links.ts'
import { buildServer } from '../../src/http/server.ts'
import { type App, open, type WorkerSettings } from '../../src/index.ts'
import { type Ground, openGround } from '../support/ground.ts'
import { readStores, type StoreName } from '../support/stores.ts'

/** One key for sealed data, of these tests alone. */
export const SEAL_KEYS = `test:${Buffer.alloc(32, 7).toString('base64')}`

export type System = Awaited<ReturnType<typeof setUp>>
type AppIn = (folder: string, url: string) => App
type Open = (appIn: AppIn) => Promise<System>

/** The tests of a system, once on each store that is asked for; every test opens an empty one. */
export function onEachStore(tests: (open: Open, name: StoreName) => void): void {
  for (const name of readStores())
    describe(`on ${name}`, () => {
      let ground: Ground | undefined
      before(async () => {
        ground = await openGround(name)
      })
      after(() => ground?.[Symbol.asyncDispose]())
      tests((appIn) => {
        if (ground === undefined) throw new Error('tests open a system, not their file')
        return setUp(ground, appIn)
      }, name)
    })
}

/** A whole system in one process: an empty store, real routes, real files, and a worker on demand. */
async function setUp(ground: Ground, appIn: AppIn) {
  const folder = mkdtempSync(join(tmpdir(), 'errand-system-'))
  const url = ground.fresh(folder)
  const app = appIn(folder, url)
  const { jobs } = app
  const files = `file:${folder}/files`
  const errand = await open(url, { jobs, files, sealKeys: SEAL_KEYS })
  const links = new Links(Buffer.from('a key of this test alone'))
  const settings = { version: 'test' }
  const server = await buildServer({ errand, app, links, files: errand.files, settings })
  const ask = (path: string, init?: RequestInit) => server.request(`http://127.0.0.1${path}`, init)
  return {
    folder,
    /** Where the server of the store keeps its files. */
    serverFolder: ground.server?.folder,
    url,
    app,
    errand,
    server,
    ask,
    json: async (path: string, init?: RequestInit): Promise<unknown> =>
      (await ask(path, init)).json(),
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    work: (settings?: Partial<WorkerSettings>) => errand.work(app, settings),
    async [Symbol.asyncDispose]() {
      await errand[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
