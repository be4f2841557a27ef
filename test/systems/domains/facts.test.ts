import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from 'errand'
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
  for (const none of ['', 'two words', 'ftp://a.example', 'a.example:8080', 'ann@a.example', '..'])
    assert.equal(toDomain(none), undefined, none)
})

test('a domain is read without a store or a worker, as a plain function', async () => {
  await using small = await openWeb()
  const settings = { ...readSettings({}), web: small.url }
  using web = new Web(settings)
  await using records = await openRecords('sqlite::memory:', 'sqlite::memory:')
  await using errand = await open('sqlite::memory:')
  const input = {
    batch_id: 'b',
    tenant_id: '',
    user_id: 'ada',
    domain: 'patchy.example',
    max_pages: 4,
  }
  const facts = await errand.run(readDomain, input, {
    resources: { domains: { web, records, settings } },
  })
  assert.equal(facts.title, 'Juniper Bakery')
  assert.equal(facts.pages.length, 4)
  assert.deepEqual(
    facts.pages.flatMap(({ error }) => error?.code ?? []),
    ['REFUSED'],
  )
  assert.deepEqual([facts.links.internal, facts.links.external], [5, 1])
})
