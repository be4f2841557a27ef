import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { hasCode } from '../../src/job/errors.ts'
import { openStore } from '../../src/stores.ts'
import { toErrand } from '../../src/store/postgres/fault.ts'
import { PostgresServer } from '../support/servers/postgres.ts'

test('a PostgreSQL that does not sync is refused, unless its risk is accepted', async () => {
  await using server = await PostgresServer.start('fsync=off')
  await assert.rejects(openStore(server.url), (error) => hasCode(error, 'STORE_UNSAFE'))
  await using store = await openStore(server.url, { durability: 'none' })
  assert.match(store.about.risk ?? '', /may lose/)
})

test('a certificate that nobody vouches for is a server that cannot be reached', () => {
  const error = Object.assign(new Error('self-signed certificate'), {
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  })
  const said = toErrand(error)
  assert(hasCode(said, 'STORE_UNREACHABLE'))
  assert.match(said.message, /DEPTH_ZERO_SELF_SIGNED_CERT/)
})

test('a value that the server found at fault is not repeated, in the cause either', () => {
  const told = Object.assign(new Error('invalid input syntax for type uuid: "Ada" (of "Ada")'), {
    code: '22P02',
    detail: 'of Ada',
    where: 'JSON data, line 1: Ada',
  })
  const said = toErrand(told)
  assert(hasCode(said, 'STORE_FAILED'))
  assert(!inspect(said, { showHidden: true }).includes('Ada'))
  assert.match(inspect(said), /invalid input syntax for type uuid/)
})
