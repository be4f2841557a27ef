import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCertificate } from '../support/certificate.ts'
import { Installation } from '../support/command.ts'
import { freePort, freshFolder } from '../support/servers/server.ts'
import { RedisServer } from '../support/servers/redis.ts'

const CHORES = `${import.meta.dirname}/chores.app.ts`

/** A Redis as it is rented: by TLS, with a password, and without commands that look into all of it. */
async function rent() {
  const folder = freshFolder('tls')
  const { key, cert } = makeCertificate(folder, 'localhost')
  const port = await freePort()
  const tls = ['--tls-port', `${port}`, '--tls-cert-file', cert, '--tls-key-file', key]
  const rules = 'on >secret ~* &* +@all -config -keys -flushall -flushdb'
  const account = ['--user', 'errand', ...rules.split(' ')]
  const server = await RedisServer.start(...tls, '--tls-auth-clients', 'no', ...account)
  return { server, cert, url: `rediss://errand:secret@localhost:${port}` }
}

test('a Redis that speaks TLS is a store like any other, to those who trust its certificate', async () => {
  const { server, cert, url } = await rent()
  await using _server = server
  await using here = new Installation({
    ERRAND_APP: CHORES,
    ERRAND_STORE: url,
    NODE_EXTRA_CA_CERTS: cert,
  })
  const worker = here.start('worker')
  await worker.said('worker started')
  const { code, said } = here.ask('enqueue', 'echo', '{"text":"hello"}', '--wait', '20s')
  assert.equal(code, 0)
  assert.match(JSON.stringify(said), /"state":"completed".*"hello"/)
  assert.equal(here.ask('verify').code, 0)
  assert.doesNotMatch(JSON.stringify(worker.lines), /secret/)

  await using stranger = new Installation({ ERRAND_STORE: url })
  const { status, stderr } = stranger.say('jobs')
  assert.equal(status, 69)
  assert.match(stderr, /SELF_SIGNED_CERT/)
})
