import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrandError, hasCode } from '../../src/job/errors.ts'
import { openStore } from '../../src/stores.ts'
import { readAddress } from '../../src/store/redis/address.ts'

test('one server is left to the client as it was given, but for our prefix', () => {
  assert.deepEqual(readAddress('rediss://me:hush%20hush@host:7000/3?prefix=shop&family=6'), {
    of: 'server',
    url: 'rediss://me:hush%20hush@host:7000/3?family=6',
    location: 'host:7000/3',
    prefix: 'shop',
  })
  const { location, prefix } = readAddress('redis://host')
  assert.deepEqual([location, prefix], ['host:6379/0', undefined])
})

test('sentinels are named with their ports, then what they call the primary', () => {
  assert.deepEqual(readAddress('redis-sentinel://a,b:7001/primary'), {
    of: 'sentinels',
    nodes: [
      { host: 'a', port: 26_379 },
      { host: 'b', port: 7001 },
    ],
    name: 'primary',
    db: 0,
    login: {},
    tls: false,
    location: 'a:26379,b:7001/primary/0',
    prefix: undefined,
  })
  const guarded =
    'rediss-sentinel://me:p%40ss:w%2Frd@a:1/primary/2?prefix=shop&sentinelPassword=w%26d'
  assert.deepEqual(readAddress(guarded), {
    of: 'sentinels',
    nodes: [{ host: 'a', port: 1 }],
    name: 'primary',
    db: 2,
    login: { username: 'me', password: 'p@ss:w/rd' },
    tls: true,
    sentinelPassword: 'w&d',
    location: 'a:1/primary/2',
    prefix: 'shop',
  })
})

test('servers of a cluster are named with their ports', () => {
  assert.deepEqual(
    readAddress('redis-cluster://:hush@10.0.0.1:7000,[2001:db8::1]:7001/?prefix=shop'),
    {
      of: 'cluster',
      nodes: [
        { host: '10.0.0.1', port: 7000 },
        { host: '2001:db8::1', port: 7001 },
      ],
      login: { password: 'hush' },
      tls: false,
      location: '10.0.0.1:7000,[2001:db8::1]:7001',
      prefix: 'shop',
    },
  )
})

const WRONG = [
  'redis-sentinel://:hushhush@a:26379',
  'redis-sentinel://:hushhush@a:26379/',
  'redis-sentinel://:hushhush@a:26379/primary/x',
  'redis-sentinel://:hushhush@a:26379/primary/1/2',
  'redis-sentinel://:hushhush@a:26379/primary?sentinelpassword=hushhush',
  'redis-sentinel://:hush%hush@a:26379/primary',
  'redis-cluster://:hush/hush@a:7000',
  'redis-cluster://:hush?hush@a:7000',
  'redis-cluster://:hushhush@a:7000/0',
  'redis-cluster://:hushhush@a:7000,',
  'redis-cluster://:hushhush@a:70000',
  'redis-cluster://:hushhush@a:b',
  'redis-cluster://:hushhush@',
  'redis-cluster:hushhush',
  'redis-clusters://:hushhush@a',
]

test('a URL that is wrong is refused, and nothing of it is repeated', async () => {
  for (const url of WRONG) {
    const isRefused = (error: unknown) =>
      error instanceof ErrandError &&
      (hasCode(error, 'INVALID_OPTION') || hasCode(error, 'UNKNOWN_STORE')) &&
      !/hush/.test(error.message)
    await assert.rejects(() => openStore(url), isRefused, url)
  }
})
