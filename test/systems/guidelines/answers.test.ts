import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import { begin, openLlm } from './setup.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

test('an answer that is no checklist fails at once, and is never a result', async () => {
  await using at = await beginAnswered((outgoing) => {
    const choices = [{ index: 0, message: { role: 'assistant', content: '{"items":3}' } }]
    outgoing.writeHead(200, JSON_TYPE).end(JSON.stringify({ choices }))
  })
  await at.errand.advance('1h')
  const { state, error, result } = await at.view()
  assert.deepEqual([state, error?.code, result], ['failed', 'CONTENT', undefined])
})

const UNREADABLE = {
  'is a page of somebody between': (outgoing: ServerResponse) => {
    outgoing.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>')
  },
  'is cut off halfway': (outgoing: ServerResponse) => {
    outgoing.writeHead(200, { ...JSON_TYPE, 'content-length': 1000 })
    outgoing.write('{"choices":[', () => outgoing.destroy())
  },
  'cannot be unpacked': (outgoing: ServerResponse) => {
    outgoing.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end('this is no gzip')
  },
}

for (const [what, answer] of Object.entries(UNREADABLE))
  test(`an answer that ${what} is asked for again`, async () => {
    await using at = await beginAnswered(answer)
    await at.errand.drain()
    const { state, error } = await at.view()
    assert.deepEqual([state, error?.code], ['scheduled', 'TRANSIENT'])
  })

/** A guideline, and a service that answers everything so. */
async function beginAnswered(answer: (outgoing: ServerResponse) => void) {
  await using open = new AsyncDisposableStack()
  const server = createServer((_, outgoing) => answer(outgoing)).listen(0, '127.0.0.1')
  open.defer(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const llm = open.use(await openLlm())
  const { errand, view } = open.use(
    await begin(llm, {}, { LLM_URL: `http://127.0.0.1:${port}/v1` }),
  )
  const all = open.move()
  return { errand, view, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
