import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Installation, until } from '../../support/command.ts'
import { openGround, type Ground } from '../../support/ground.ts'
import { readStores } from '../../support/stores.ts'
import { databaseOf, openWeb, Status } from './setup.ts'

const APP = 'systems/domains/app.ts'
const DOMAINS = Array.from({ length: 20 }, (_, i) => `slow-${i}.example`)

for (const name of readStores()) {
  let ground: Ground | undefined
  before(async () => {
    ground = await openGround(name)
  })
  after(() => ground?.[Symbol.asyncDispose]())

  /** A web that counts, and processes over it. */
  async function place() {
    if (ground === undefined) throw new Error('there is no store to stand on')
    const web = await openWeb()
    const here = new Installation({
      ERRAND_APP: APP,
      ERRAND_LEASE: '3s',
      ERRAND_RENEW: '1s',
      DOMAINS_WEB: web.url,
      DOMAINS_ADOPT_MS: '1000',
      DOMAINS_LIVE_MS: '50',
    })
    const store = ground.fresh(here.folder)
    const stores = { ERRAND_STORE: store, DOMAINS_DATABASE: databaseOf(here.folder, store) }
    const start = (env: Record<string, string>, ...args: string[]) =>
      here.startWith({ ...stores, ...env }, ...args)
    return {
      web,
      here,
      start,
      stores,
      serve: async (env: Record<string, string> = {}) => {
        const command = start(env, 'serve')
        const { url } = await command.said('serving')
        return { command, batch: `${String(url)}/domains/batch` }
      },
      async [Symbol.asyncDispose]() {
        await here[Symbol.asyncDispose]()
        await web[Symbol.asyncDispose]()
      },
    }
  }

  const post = async (url: string, body: object) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const look = async (url: string, wait = 0) =>
    Status.parse(await (await fetch(url, { headers: { prefer: `wait=${wait}` } })).json())

  test(`on ${name}: a worker that is killed in the middle of a batch costs no finished domain a second reading`, async () => {
    await using at = await place()
    const { batch } = await at.serve()
    const first = at.start({}, 'worker')
    await post(batch, { domains: DOMAINS, batch_id: 'killed', max_pages: 1, max_concurrent: 5 })
    const done = await until(async () => {
      const { domains } = await look(`${batch}/killed`)
      const complete = DOMAINS.filter((domain) => domains[domain]?.status === 'complete')
      return complete.length >= 5 ? complete : undefined
    }, 'nothing was read')
    first.signal('SIGKILL')
    at.start({}, 'worker')
    const over = await look(`${batch}/killed`, 50)
    assert.deepEqual([over.status, over.completed_domains], ['complete', DOMAINS.length])
    assert.deepEqual(
      done.filter((domain) => at.web.readsOf(domain) !== 1),
      [],
    )
    assert.deepEqual(at.here.ask('verify', '--store', at.stores.ERRAND_STORE).code, 0)
  })

  test(`on ${name}: what was accepted is read, though the API is killed at once and nobody starts it again`, async () => {
    await using at = await place()
    const { command, batch } = await at.serve()
    await post(batch, { domains: ['kept.example'], batch_id: 'kept', max_pages: 1 })
    command.signal('SIGKILL')
    await command.exit()
    at.start({}, 'worker')
    await until(() => at.web.readsOf('kept.example') === 1 || undefined, 'it was not read')
    const again = await at.serve()
    assert.equal((await look(`${again.batch}/kept`, 20)).status, 'complete')
    again.command.signal('SIGTERM')
    assert.equal(await Promise.race([again.command.exit(), sleep(8000, 'it stayed')]), 0)
  })

  test(`on ${name}: an API that dies between record and job leaves both or neither in the end`, async () => {
    await using at = await place()
    const { command, batch } = await at.serve({ ERRAND_FAILPOINTS: 'insert.before_commit=crash' })
    const answer = await post(batch, { domains: ['torn.example'], batch_id: 'torn' }).catch(
      () => undefined,
    )
    assert.equal(answer, undefined)
    await command.exit()
    const worker = at.start({}, 'worker')
    const again = await at.serve()
    if (name === 'postgres') {
      // One transaction held both, so it left neither.
      await worker.said('worker started')
      assert.equal((await fetch(`${again.batch}/torn`)).status, 404)
      return
    }
    assert.equal((await look(`${again.batch}/torn`, 20)).status, 'complete')
    assert.equal(at.web.readsOf('torn.example'), 1)
  })
}
