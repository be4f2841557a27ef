import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { open } from 'errand'
import { Hono } from 'hono'
import { openStandIn } from '../../../systems/common/stand-in.ts'
import { readDomain } from '../../../systems/domains/handlers.ts'
import { openRecords } from '../../../systems/domains/batch/open-records.ts'
import { decode, readFacts } from '../../../systems/domains/scraper/facts.ts'
import { Web } from '../../../systems/domains/scraper/web.ts'
import { toDomain } from '../../../systems/domains/request.ts'
import { readSettings } from '../../../systems/domains/settings.ts'
import { openWeb } from './setup.ts'

test('a page is read by its tags, however it is written', () => {
  const html = `<HTML LANG=de><title>A &amp; B
    C</title><meta NAME=Description content="  what  it is ">
    <base href="/deep/"><h1>One <em>big</em> word</h1><h2></h2><script>"<h3>no</h3>"</script>
    <a href=page#part>1</a><a href="page">2</a><a href="https://o.example/">3</a>
    <a href="mailto:x@y">4</a><a href="http://[">5</a><a>6</a><h3>Unclosed`
  assert.deepEqual(readFacts(html, new URL('https://s.example/x/')), {
    title: 'A & B C',
    description: 'what it is',
    language: 'de',
    headings: [
      { level: 1, text: 'One big word' },
      { level: 3, text: 'Unclosed' },
    ],
    links: ['https://s.example/deep/page', 'https://o.example/'],
  })
})

test('a page is read in the encoding that its header names, or it itself', () => {
  const latin = Buffer.from('<meta charset="iso-8859-1"><title>caf\u00e9</title>', 'latin1')
  assert.match(decode(latin, ''), /café/)
  assert.match(decode(Buffer.from('caf\u00e9', 'latin1'), 'windows-1252'), /café/)
  assert.match(decode(Buffer.from('café'), 'no-such-thing'), /café/)
  assert.match(decode(Buffer.from('<meta charset="utf-16">café'), ''), /café/)
  assert.match(decode(Buffer.from('\uFEFFcafé', 'utf16le'), 'utf-8'), /café/)
})

test('a page that nests without end is read as far as browsers would, and no further', () => {
  const html = `<title>Deep</title><p>1${'<div>'.repeat(400_000)}<h1>down there</h1>`
  const { title, headings } = readFacts(html, new URL('https://s.example/'))
  assert.deepEqual([title, headings], ['Deep', []])
})

test('a text is cut between characters', () => {
  const html = `<h1>${'x'.repeat(299)}😀😀</h1><title>${'x'.repeat(298)}😀</title>`
  const { title, headings } = readFacts(html, new URL('https://s.example/'))
  assert.equal(headings[0]?.text, 'x'.repeat(299))
  assert.equal(title, `${'x'.repeat(298)}😀`)
})

test('a link that is longer than any address is left out', () => {
  const html = `<a href="/short">1</a><a href="/${'x'.repeat(40_000)}">2</a>`
  const { links } = readFacts(html, new URL('https://s.example/'))
  assert.deepEqual(links, ['https://s.example/short'])
})

test('a page comes packed though nobody asked for that, and counts as large as it is unpacked', async () => {
  const pages: Record<string, string> = {
    'small.example': 'tiny',
    'bomb.example': 'x'.repeat(9e6),
  }
  const own = new Hono()
    .get('/names/:host', (c) => c.json(['93.184.215.14']))
    .get('/:host/', (c) => {
      const head = { 'content-type': "text/html; charset='utf-8'", 'content-encoding': 'gzip' }
      const packed = Uint8Array.from(gzipSync(pages[c.req.param('host')] ?? 'cut off'))
      return c.body(c.req.param('host') === 'cut.example' ? packed.slice(5) : packed, 200, head)
    })
  await using site = await openStandIn(own, 0)
  using web = new Web({ ...readSettings({}), web: site.url })
  const signal = AbortSignal.timeout(10_000)
  const { body, charset } = await web.home('small.example', signal)
  assert.deepEqual([body.toString(), charset], ['tiny', 'utf-8'])
  await assert.rejects(web.home('bomb.example', signal), { code: 'TOO_LARGE' })
  await assert.rejects(web.home('cut.example', signal), { code: 'BROKEN_ANSWER' })
})

test('domains are taken as people paste them, and spelt in one way', () => {
  const pasted = [
    ' Shop.Example ',
    'https://shop.example/a?b',
    'bücher.example',
    '0x7f.1',
    'a.example.',
  ]
  assert.deepEqual(pasted.map(toDomain), [
    'shop.example',
    'shop.example',
    'xn--bcher-kva.example',
    '127.0.0.1',
    'a.example',
  ])
  for (const none of [
    '',
    'two words',
    'ftp://a.example',
    'a.example:8080',
    'ann@a.example',
    '..',
    'a..b.example',
    'a-.example',
    `${'x'.repeat(64)}.example`,
  ])
    assert.equal(toDomain(none), undefined, none)
})

test('a page of many long links is read, and as many of them are kept as a step may hold', async () => {
  const links = Array.from(
    { length: 300 },
    (_, i) => `<a href="/${i}/${'x'.repeat(1900)}">${i}</a>`,
  )
  const own = new Hono()
    .get('/names/:host', (c) => c.json(['93.184.215.14']))
    .get('/:host/', (c) => c.html(`<title>Links</title>${links.join('')}`))
  await using site = await openStandIn(own, 0)
  const facts = await readAlone(site.url, { domain: 'links.example', max_pages: 1 })
  assert.equal(facts.title, 'Links')
  assert(facts.links.internal > 40)
})

test('a domain is read without a store or a worker, as a plain function', async () => {
  await using small = await openWeb()
  const facts = await readAlone(small.url, { domain: 'patchy.example', max_pages: 4 })
  assert.equal(facts.title, 'Juniper Bakery')
  assert.equal(facts.pages.length, 4)
  assert.deepEqual(
    facts.pages.flatMap(({ error }) => error?.code ?? []),
    ['REFUSED'],
  )
  assert.deepEqual([facts.links.internal, facts.links.external], [5, 1])
})

/** Reads a domain as a plain function. */
async function readAlone(url: string, about: { domain: string; max_pages: number }) {
  const settings = { ...readSettings({}), web: url }
  using web = new Web(settings)
  await using records = await openRecords('sqlite::memory:', 'sqlite::memory:')
  await using errand = await open('sqlite::memory:')
  const input = { batch_id: 'b', tenant_id: '', user_id: 'ada', ...about }
  const resources = { domains: { web, records, settings } }
  return errand.run(readDomain, input, { resources })
}
