import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Links } from '../../../src/http/links.ts'
import { buildServer } from '../../../src/http/server.ts'
import { open as openErrand } from '../../../src/index.ts'
import { onEachStore } from '../stage.ts'
import { setUp, TaskView } from './setup.ts'

onEachStore((open) => {
  test('a report whose key was taken away has expired, and can be made again under another', async () => {
    await using at = await setUp(open)
    await at.seed(['+15550142001'])
    const { id } = await at.request(1)
    await at.finish(id)
    const sealKeys = `other:${Buffer.alloc(32, 8).toString('base64')}`
    const { jobs } = at.app
    await using errand = await openErrand(at.url, {
      jobs,
      files: `file:${at.folder}/files`,
      sealKeys,
    })
    const { files } = errand
    const links = new Links(Buffer.from('a key of this test alone'))
    const server = await buildServer({
      errand,
      app: at.app,
      links,
      files,
      settings: { version: '' },
    })
    const ask = async (path: string, init?: RequestInit) =>
      TaskView.parse(await (await server.request(`http://127.0.0.1/reports${path}`, init)).json())
    assert.equal((await ask(`/${id}`)).status, 'expired')
    const again = await ask('?days=1&again=true', { method: 'POST' })
    assert.deepEqual([again.status, again.id === id], ['queued', false])
  })
})
