import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { faultOf } from '../../src/cli/fault.ts'
import { openLog } from '../../src/cli/log.ts'
import { ErrandError } from '../../src/job/errors.ts'

// Set where a whole run is coloured, it would win over what a terminal says of itself.
delete process.env.FORCE_COLOR

test('on a terminal a log line is short, at the level asked for', () => {
  const terminal = Object.assign(new PassThrough({ encoding: 'utf8' }), {
    isTTY: true,
    getColorDepth: () => 1,
  })
  const log = openLog({ logLevel: 'info' }, terminal)
  log.debug('unheard')
  log.info({ url: 'http://x\u001b[2J' }, 'serving')
  assert.match(String(terminal.read()), /^\d\d:\d\d:\d\d info {2}serving url=http:\/\/x\n$/)
})

test('a log says only the code of an error that is not ours', () => {
  assert.deepEqual(faultOf(new Error('ada@example.org')), { code: 'INTERNAL' })
  assert.deepEqual(faultOf(Object.assign(new Error('ada'), { code: 'ECONNRESET' })), {
    code: 'ECONNRESET',
  })
  assert.deepEqual(faultOf(new ErrandError('STORE_CLOSED', {})), {
    code: 'STORE_CLOSED',
    why: 'the store is closed',
  })
})
