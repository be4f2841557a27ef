import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endsWell, endure, type Fault, openSite } from '../support/outage.ts'
import { openGround } from '../support/ground.ts'
import { POSTGRES_SAYS_NO, REDIS_SAYS_NO } from '../support/refusals.ts'
import { readStores } from '../support/stores.ts'

/** How many seconds each lasts; `OUTAGE=60` makes it a minute. */
const LENGTH_MS = Number(process.env['OUTAGE'] ?? '1') * 1000

/** What may become of the line to a store. */
const LINES: Record<string, Fault> = {
  'connections are cut again and again': ({ proxy }) => {
    // Slow, so that they are cut in the middle of what a client says first.
    proxy.delay(15)
    let cutting: NodeJS.Timeout
    const cut = () => {
      proxy.cut()
      cutting = setTimeout(cut, 20 + Math.random() * 100)
    }
    cut()
    return async () => {
      clearTimeout(cutting)
      await proxy.pass()
    }
  },
  'nothing gets through and nobody is told': ({ proxy }) => {
    proxy.freeze()
    return () => proxy.pass()
  },
  'replies are lost': ({ proxy }) => {
    proxy.dropReplies()
    return () => proxy.pass()
  },
  'the server is killed': async ({ server }) => {
    await server.kill()
    return () => server.start()
  },
}
const SAYS_NO = { redis: REDIS_SAYS_NO, postgres: POSTGRES_SAYS_NO }

const strand: Fault = ({ proxy }) => {
  proxy.strand()
  return async () => undefined
}
const refuse: Fault = ({ proxy }) => {
  proxy.refuse()
  proxy.cut()
  return () => proxy.pass()
}

for (const store of readStores())
  if (store !== 'sqlite')
    test(`callers are answered, and work goes on by itself, whatever befalls ${store}`, async (t) => {
      await using ground = await openGround(store, 'max_connections=40')
      await using site = await openSite(ground)
      for (const [what, fault] of Object.entries({ ...LINES, ...SAYS_NO[store] }))
        await t.test(`while ${what}`, async (t) => {
          t.diagnostic(JSON.stringify(await endure(site, fault, LENGTH_MS)))
        })
      await t.test('while nobody listens, for so long that callers are sent away', async (t) => {
        const told = await endure(site, refuse, Math.max(LENGTH_MS, 4000))
        t.diagnostic(JSON.stringify(told))
        assert(told.refused > 0)
      })
      await t.test('while connections go dead for good, and it can be stopped then', async (t) => {
        t.diagnostic(JSON.stringify(await endure(site, strand, LENGTH_MS)))
        await strand(site.scene)
        await endsWell(site.worker)
      })
    })
