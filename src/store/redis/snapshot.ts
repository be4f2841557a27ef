import type { Connection } from './connection.ts'
import type { Argument } from './wire.ts'
import { bufferOf, listOf } from './rows.ts'

const STEP = 500

/** What lies under each name: the rest of the key, as latin1, and what it holds. */
export type Snapshot = {
  rows: Map<string, Buffer>
  /** Of each family of keys: what follows its name, and the entries in order. */
  entries: (family: string) => Map<string, Buffer[]>
}

const READS: Record<string, readonly Argument[]> = {
  tally: ['HGETALL'],
  receipts: ['HGETALL'],
  open: ['HGETALL'],
  files: ['HKEYS'],
  steps: ['HKEYS'],
  mail: ['HKEYS'],
  awaits: ['HKEYS'],
  children: ['SMEMBERS'],
  batch: ['HGETALL'],
  kinds: ['HKEYS'],
  unique: ['HGETALL'],
  entries: ['HGETALL'],
  due: ['ZRANGE', 0, -1, 'WITHSCORES'],
  workers: ['SMEMBERS'],
  attempts: ['LRANGE', 0, -1],
  logs: ['LRANGE', 0, 0],
  ready: ['LRANGE', 0, -1],
  turns: ['GETRANGE', 0, -1],
  ended: ['ZRANGE', 0, -1],
  line: ['ZRANGE', 0, -1],
  held: ['ZRANGE', 0, -1],
  scheduled: ['ZRANGE', 0, -1],
  waiting: ['ZRANGE', 0, -1],
  failed: ['ZRANGE', 0, -1],
  cancelled: ['ZRANGE', 0, -1],
  tag: ['ZRANGE', 0, -1],
}

/** Two families share their names with sets of another shape, which have no rest. */
const isIndex = (family: string, rest: string) =>
  rest === '' && (family === 'turns' || family === 'files')

/** Reads everything in bounded steps. Not one moment: what moves meanwhile may be seen twice or never. */
export async function takeSnapshot(connection: Connection): Promise<Snapshot> {
  const found = new Map<string, Map<string, Buffer[]>>()
  const rows = new Map<string, Buffer>()
  for await (const keys of keysOf(connection)) {
    const ids = keys.filter(({ family }) => family === 'j')
    const values =
      ids.length > 0 ? listOf(await connection.ask('MGET', ...ids.map(({ key }) => key))) : []
    for (const [i, { rest }] of ids.entries()) {
      const row = values[i]
      if (Buffer.isBuffer(row)) rows.set(rest, row)
    }
    const read = async ({ key, family, rest }: Key) => {
      const [command, ...args] = READS[family] ?? []
      if (command === undefined || isIndex(family, rest)) return
      const reply = await connection.ask(String(command), key, ...args)
      const entries = Buffer.isBuffer(reply) ? [reply] : listOf(reply).map(bufferOf)
      const members = found.get(family) ?? new Map<string, Buffer[]>()
      found.set(family, members.set(rest, entries))
    }
    await Promise.all(keys.map(read))
  }
  return { rows, entries: (family) => found.get(family) ?? new Map<string, Buffer[]>() }
}

type Key = { key: Buffer; family: string; rest: string }

async function* keysOf(connection: Connection): AsyncGenerator<Key[]> {
  const { prefix, every } = connection.keys
  const seen = new Set<string>()
  let cursor = '0'
  do {
    const [next, keys] = listOf(await connection.ask('SCAN', cursor, 'MATCH', every, 'COUNT', STEP))
    cursor = String(bufferOf(next))
    const fresh = listOf(keys)
      .map(bufferOf)
      .filter((key) => !seen.has(key.toString('latin1')))
    for (const key of fresh) seen.add(key.toString('latin1'))
    yield fresh.map((key) => {
      const name = key.toString('latin1', prefix.length)
      const colon = name.indexOf(':')
      return colon === -1
        ? { key, family: name, rest: '' }
        : { key, family: name.slice(0, colon), rest: name.slice(colon + 1) }
    })
  } while (cursor !== '0')
}

/** Fields and values of what HGETALL gave, as latin1. */
export function fieldsOf(entries: readonly Buffer[]): [string, Buffer][] {
  const fields: [string, Buffer][] = []
  for (let i = 0; i + 1 < entries.length; i += 2)
    fields.push([entries[i]?.toString('latin1') ?? '', entries[i + 1] ?? Buffer.alloc(0)])
  return fields
}
