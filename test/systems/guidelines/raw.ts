import { readFileSync, globSync } from 'node:fs'
import { Redis } from 'ioredis'
import { Client } from 'pg'

/** All that lies in a store, as the bytes that lie there. */
export async function rawOf(url: string): Promise<Buffer> {
  if (url.startsWith('sqlite:'))
    return Buffer.concat(
      globSync(`${url.slice('sqlite:'.length)}*`).map((file) => readFileSync(file)),
    )
  return url.startsWith('redis:') ? redisBytes(url) : postgresBytes(url)
}

async function redisBytes(url: string): Promise<Buffer> {
  const redis = new Redis(url.split('?')[0] ?? url)
  const found: Buffer[] = []
  for (const key of await redis.keys('*')) {
    found.push(Buffer.from(key))
    const type = await redis.type(key)
    if (type === 'string') found.push((await redis.getBuffer(key)) ?? Buffer.alloc(0))
    if (type === 'hash')
      for (const [field, value] of Object.entries(await redis.hgetallBuffer(key)))
        found.push(Buffer.from(field), value)
    if (type === 'list') found.push(...(await redis.lrangeBuffer(key, 0, -1)))
    if (type === 'set') found.push(...(await redis.smembersBuffer(key)))
    if (type === 'zset') found.push(...(await redis.zrangeBuffer(key, '0', '-1')))
    if (type === 'stream')
      for (const [, fields] of await redis.xrangeBuffer(key, '-', '+')) found.push(...fields)
  }
  await redis.quit()
  return Buffer.concat(found)
}

/** Rows as text show bytes in hexadecimal, which is read back. */
async function postgresBytes(url: string): Promise<Buffer> {
  const { searchParams } = new URL(url)
  const schema = searchParams.get('schema') ?? ''
  const client = new Client(url.split('?')[0])
  await client.connect()
  const tables = await client.query(
    'select table_name as name from information_schema.tables where table_schema = $1',
    [schema],
  )
  const found: string[] = []
  for (const { name } of tables.rows) {
    const { rows } = await client.query(`select t::text as text from "${schema}"."${name}" t`)
    found.push(...rows.map(({ text }) => String(text)))
  }
  await client.end()
  const text = found.join('\n')
  const hex = [...text.matchAll(/\\x([0-9a-f]+)/g)].map(([, bytes = '']) =>
    Buffer.from(bytes, 'hex'),
  )
  return Buffer.concat([Buffer.from(text), ...hex])
}
