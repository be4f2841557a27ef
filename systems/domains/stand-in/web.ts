import { Hono, type Context } from 'hono'
import { setTimeout as sleep } from 'node:timers/promises'
import { isIP } from 'node:net'
import { pageOf, siteOf } from './sites.ts'

const SLOW_MS = 1000
const HUGE_BYTES = 16_777_216

/** Where names lead that do not lead to a site of their own. */
const ADDRESSES: Record<string, string[]> = {
  localhost: ['127.0.0.1'],
  'inside.example': ['10.0.0.5'],
  'metadata.example': ['169.254.169.254'],
  'half.example': ['93.184.215.14', '192.168.1.1'],
  'nowhere.example': [],
}

type Oddity = (c: Context) => Response | Promise<Response>
const redirect = (to: string) => new Response(null, { status: 302, headers: { location: to } })

/** Sites that behave badly, by how their names begin. */
const ODDITIES: Record<string, Oddity> = {
  down: (c) => c.text('closed', 503),
  missing: (c) => c.text('no such page', 404),
  circle: () => redirect('/'),
  moved: () => redirect('https://harbour.example/'),
  sneaky: () => redirect('http://169.254.169.254/latest/meta-data/'),
  tunnel: () => redirect('https://inside.example/'),
  odd: () => redirect('ftp://harbour.example/'),
  picture: () => new Response('not a page', { headers: { 'content-type': 'image/png' } }),
  huge: () => new Response('x'.repeat(HUGE_BYTES), { headers: { 'content-type': 'text/html' } }),
  endless: () => new Promise(() => undefined),
}

/**
 * A small web of made-up sites. `GET /names/<host>` says where a name leads; `/<host>/<path>` is a page of it. Any name
 * is a site; a few behave badly.
 */
export function smallWeb(): Hono {
  const seen = new Map<string, number>()
  const nth = (key: string) => {
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    return count
  }
  return new Hono()
    .get('/names/:host', (c) => {
      const host = c.req.param('host')
      if (isIP(host)) return c.json([host])
      // A name that changes its mind: the guard has seen a public address when it is asked again.
      if (host.startsWith('rebind')) return c.json([nth(host) % 2 ? '93.184.215.14' : '127.0.0.1'])
      const addresses = ADDRESSES[host]
      if (addresses?.length === 0) return c.json({ error: 'no such name' }, 404)
      return c.json(addresses ?? ['93.184.215.14'])
    })
    .get('/:host/*', async (c) => {
      const host = c.req.param('host')
      const [kind = ''] = host.split(/[-.]/)
      const path = c.req.path.slice(host.length + 1)
      if (kind === 'slow') await sleep(SLOW_MS)
      if (kind === 'flaky' && nth(`page ${host}`) === 1) return c.text('try again', 503)
      const odd = ODDITIES[kind]
      if (odd && (kind !== 'patchy' || path !== '/')) return odd(c)
      const site = siteOf(host)
      // One page of it is always away.
      if (kind === 'patchy' && path === '/contact') return c.text('gone', 410)
      if (path !== '/' && !site.pages.includes(path.slice(1))) return c.text('no such page', 404)
      return c.html(pageOf(site, path))
    })
}
