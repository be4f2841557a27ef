import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import { isPublic } from '../../../systems/common/public.ts'
import { guarded } from '../../../systems/domains/scraper/guard.ts'
import { PageError } from '../../../systems/domains/scraper/error.ts'
import { Web, type WebSettings } from '../../../systems/domains/scraper/web.ts'
import { readSettings } from '../../../systems/domains/settings.ts'
import { openWeb } from './setup.ts'

const settings: WebSettings = { ...readSettings({}), pageTimeoutMs: 2000 }
const refused = (code: string) => (error: unknown) =>
  error instanceof PageError && error.code === code
const never = new AbortController().signal

test('only addresses of the public internet may be called', () => {
  const forbidden = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:127.0.0.1',
    '64:ff9b::a00:1',
    'fc00::1',
    'fe80::1',
    'ff02::1',
    '2001:db8::1',
    '2002:7f00:1::',
  ]
  assert.deepEqual(forbidden.filter(isPublic), [])
  const open = ['1.1.1.1', '93.184.215.14', '172.32.0.1', '2606:4700::1111', '2a00:1450::1']
  assert.deepEqual(open.filter(isPublic), open)
})

test('one private address among those of a name refuses the name', async () => {
  const names = async () => ['93.184.215.14', '192.168.1.1']
  await assert.rejects(guarded('half.example', names), refused('ADDRESS_REFUSED'))
  await assert.rejects(guarded('[::1]', names), refused('ADDRESS_REFUSED'))
  await assert.rejects(
    guarded('none.example', async () => []),
    refused('NAME_NOT_FOUND'),
  )
})

test('a connection goes only where the guard allowed it: a name that changes its mind reaches nobody', async () => {
  let reached = 0
  const server = createServer((_, answer) => void (reached++, answer.end('secret')))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = server.address()
  const port = typeof at === 'object' ? at?.port : undefined
  const answers = [['93.184.215.14'], ['127.0.0.1']]
  using web = new Web({ ...settings, web: 'internet' }, async () => answers.pop() ?? [])
  const url = new URL(`http://rebind.example:${port}/`)
  await assert.rejects(web.read(url, never), refused('ADDRESS_REFUSED'))
  for (const literal of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]'])
    await assert.rejects(
      web.read(new URL(`http://${literal}:${port}/`), never),
      refused('ADDRESS_REFUSED'),
    )
  assert.equal(reached, 0)
  server.close()
})

test('what a site does to its readers is met with a limit', async () => {
  await using small = await openWeb()
  using web = new Web({ ...settings, web: small.url, pageTimeoutMs: 500, pageBytes: 100_000 })
  const ends = {
    'sneaky.example': 'ADDRESS_REFUSED',
    'tunnel.example': 'ADDRESS_REFUSED',
    'inside.example': 'ADDRESS_REFUSED',
    'half.example': 'ADDRESS_REFUSED',
    '10.0.0.1': 'ADDRESS_REFUSED',
    'circle.example': 'TOO_MANY_REDIRECTS',
    'odd.example': 'BAD_REDIRECT',
    'huge.example': 'TOO_LARGE',
    'endless.example': 'TIMED_OUT',
    'picture.example': 'NOT_A_PAGE',
    'missing.example': 'REFUSED',
    'down.example': 'UNAVAILABLE',
    'nowhere.example': 'NAME_NOT_FOUND',
  }
  for (const [domain, code] of Object.entries(ends))
    await assert.rejects(web.home(domain, never), refused(code), domain)
  assert.equal(small.pages.filter((path) => path.startsWith('/169.')).length, 0)
  const moved = await web.home('moved.example', never)
  assert.deepEqual([moved.url.href, moved.redirects], ['https://harbour.example/', 1])
})

test('what may pass by itself is worth another attempt, the rest is not', () => {
  for (const code of ['TIMED_OUT', 'UNAVAILABLE', 'NOT_CONNECTED', 'NAME_TROUBLE'] as const)
    assert.equal(new PageError(code, '').isFinal, false)
  for (const code of ['ADDRESS_REFUSED', 'REFUSED', 'TOO_LARGE', 'NAME_NOT_FOUND'] as const)
    assert.equal(new PageError(code, '').isFinal, true)
})
