import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDoor, read } from './door.ts'

const CONTENT = 'name,city\nAda,London\n'

test('a file is downloaded under its name, as its type, and can do nothing in a browser', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  const { sha256 } = await door.leave('Bericht „März“.csv', CONTENT)
  const answer = await door.get(
    `/v1/jobs/${id}/artifacts/${encodeURIComponent('Bericht „März“.csv')}`,
  )
  assert.equal(answer.status, 200)
  assert.equal(await answer.text(), CONTENT)
  assert.equal(answer.headers.get('content-type'), 'text/csv; charset=utf-8')
  assert.equal(answer.headers.get('etag'), `"${sha256}"`)
  assert.equal(answer.headers.get('content-length'), `${CONTENT.length}`)
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  assert.match(answer.headers.get('content-security-policy') ?? '', /^sandbox/)
  assert.equal(
    answer.headers.get('content-disposition'),
    `attachment; filename="Bericht _M_rz_.csv"; filename*=UTF-8''Bericht%20%E2%80%9EM%C3%A4rz%E2%80%9C.csv`,
  )
})

test('a file of any other type is just bytes', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.leave('page.html', '<script>', { type: 'text/html' })
  const answer = await door.get(`/v1/jobs/${id}/artifacts/page.html`)
  assert.equal(answer.headers.get('content-type'), 'application/octet-stream')
  assert.equal(await answer.text(), '<script>')
})

const PARTS: [range: string, content: string, contentRange: string][] = [
  ['bytes=0-3', 'name', 'bytes 0-3/21'],
  ['bytes=10-', 'Ada,London\n', 'bytes 10-20/21'],
  ['bytes=-7', 'London\n', 'bytes 14-20/21'],
  ['bytes=0-999', CONTENT, 'bytes 0-20/21'],
  ['bytes=-999', CONTENT, 'bytes 0-20/21'],
]

test('one part of a file is sent when asked for, and none that is not there', async (t) => {
  await using door = await openDoor()
  const id = await door.submit()
  const { sha256 } = await door.leave('a.csv', CONTENT)
  const path = `/v1/jobs/${id}/artifacts/a.csv`
  for (const [range, content, contentRange] of PARTS)
    await t.test(range, async () => {
      const answer = await door.get(path, { range })
      assert.equal(answer.status, 206)
      assert.equal(answer.headers.get('content-range'), contentRange)
      assert.equal(answer.headers.get('content-length'), `${content.length}`)
      assert.equal(await answer.text(), content)
    })
  for (const range of [
    'bytes=21-',
    'bytes=5-2',
    'bytes=-0',
    'bytes=-',
    'bytes=0-0,1-1',
    'bytes=a-b',
    'lines=1-2',
  ])
    await t.test(range, async () => {
      const answer = await door.get(path, { range })
      assert.deepEqual([answer.status, (await read(answer)).code], [416, 'RANGE_NOT_SATISFIABLE'])
      assert.equal(answer.headers.get('content-range'), 'bytes */21')
    })
  await t.test('a part of another version is not mixed in', async () => {
    const other = await door.get(path, { range: 'bytes=0-3', 'if-range': '"other"' })
    assert.deepEqual([other.status, await other.text()], [200, CONTENT])
    const same = await door.get(path, { range: 'bytes=0-3', 'if-range': `"${sha256}"` })
    assert.deepEqual([same.status, await same.text()], [206, 'name'])
  })
})

test('HEAD tells the length and sends nothing', async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.leave('a.csv', CONTENT)
  const answer = await door.server.request(`/v1/jobs/${id}/artifacts/a.csv`, { method: 'HEAD' })
  assert.deepEqual(
    [answer.status, answer.headers.get('content-length'), await answer.text()],
    [200, '21', ''],
  )
})

test('a signed link opens one file to whoever holds it, and nothing else', async (t) => {
  await using door = await openDoor({ authenticate: () => undefined })
  const { id } = await door.client.enqueue('person.greet', { name: 'Ada' })
  await door.leave('a.csv', CONTENT)
  const link = door.links.sign(id, 'a.csv')
  assert.equal(await (await door.get(link)).text(), CONTENT)
  assert.equal((await door.get(`/v1/jobs/${id}/artifacts/a.csv`)).status, 401)

  for (const [what, bad] of [
    ['another file', link.replace('a.csv', 'b.csv')],
    ['another job', link.replace(id, '0193e0a4-0000-7000-8000-000000000001')],
    ['a later end', link.replace(/expires=\d+/, 'expires=99999999999')],
    ['a short signature', link.slice(0, -4)],
    ['no signature', link.replace(/signature=.*/, 'signature=')],
    ['a spare parameter', `${link}&x=1`],
    ['a parameter twice', `${link}&expires=1`],
  ] as const)
    await t.test(what, async () => {
      const answer = await door.get(bad)
      assert.deepEqual([answer.status, (await read(answer)).code], [403, 'LINK_INVALID'])
    })
})

test('an expired link is refused and an unknown file is not found', async (t) => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.leave('a.csv', CONTENT)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const link = door.links.sign(id, 'a.csv')
  t.mock.timers.tick(16 * 60_000)
  const late = await door.get(link)
  assert.deepEqual([late.status, (await read(late)).code], [403, 'LINK_EXPIRED'])
  for (const file of ['b.csv', '..%2f..%2fetc%2fpasswd', '%00'])
    assert.equal((await door.get(`/v1/jobs/${id}/artifacts/${file}`)).status, 404)

  t.mock.timers.tick(86_400_000)
  const gone = await door.get(`/v1/jobs/${id}/artifacts/a.csv`)
  assert.deepEqual([gone.status, (await read(gone)).code], [404, 'ARTIFACT_NOT_FOUND'])
})

test("a job's files are listed with links that work", async () => {
  await using door = await openDoor()
  const id = await door.submit()
  await door.leave('a.csv', CONTENT)
  const etag = (await door.get(`/v1/jobs/${id}`)).headers.get('etag') ?? ''
  const job = await door.get(`/v1/jobs/${id}`, { 'if-none-match': etag })
  assert.equal(job.status, 200, 'its links are signed anew')
  const { data } = await read(await door.get(`/v1/jobs/${id}/artifacts`))
  assert(Array.isArray(data))
  assert.equal(await (await door.get(data[0].url)).text(), CONTENT)
})
