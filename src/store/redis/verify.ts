import { STATES } from '../../job/state.ts'
import type { Finding } from '../contract.ts'
import { wantedOf } from './cabinet.ts'
import type { Connection } from './connection.ts'
import { leavingsOf, rowsOf } from './laws.ts'
import { placesOf } from './places.ts'
import { idAt } from './pack.ts'
import { kindAt, stateOf } from './rows.ts'
import { batchesOf, keysOf, takeBatches, takeKeys } from './tallied.ts'
import { fieldsOf, type Snapshot, takeSnapshot } from './snapshot.ts'

const LOOKS = 3
const ENTRY = 28

/** A row, with what the laws ask of it. */
export type Kept = {
  id: string
  row: Buffer
  state: (typeof STATES)[number]
  queue: string
  life: Buffer
}

/**
 * Every sentence of the contract that keys can break (C5, C10, C12). The server goes on meanwhile: what
 * was only caught moving is not found again at the next look, and counters are compared only where
 * they stood still.
 */
export class Verification {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async run(): Promise<Finding[]> {
    await this.#connection.check()
    let findings = await this.#look()
    for (let look = 1; look < LOOKS && findings.length > 0; look++) {
      const again = new Set((await this.#look()).map((one) => JSON.stringify(one)))
      findings = findings.filter((one) => again.has(JSON.stringify(one)))
    }
    return findings
  }

  async #look(): Promise<Finding[]> {
    const before = await takeSnapshotOfTallies(this.#connection)
    const batches = await takeBatches(this.#connection)
    const keys = await takeKeys(this.#connection)
    const snapshot = await takeSnapshot(this.#connection)
    const after = await takeSnapshotOfTallies(this.#connection)
    const batchesAfter = await takeBatches(this.#connection)
    const keysAfter = await takeKeys(this.#connection)
    const kept = await this.#kept(snapshot)
    return [
      ...counters(kept, before, after),
      ...receipts(kept, snapshot),
      ...rowsOf(kept, snapshot),
      ...leavingsOf(kept, snapshot),
      ...placesOf(kept, snapshot),
      ...batchesOf(kept, batches, batchesAfter),
      ...keysOf(kept, snapshot, keys, keysAfter),
      ...wantedOf(snapshot),
    ]
  }

  async #kept(snapshot: Snapshot): Promise<Kept[]> {
    const kinds = new Map<string, string>()
    for (const [, ids] of snapshot.entries('kinds'))
      for (const id of ids) {
        const content = await this.#connection.ask('HGET', this.#connection.keys.kinds, id)
        if (!Buffer.isBuffer(content)) continue
        const at = 2 + content.readUInt16BE(0)
        kinds.set(
          id.toString('latin1'),
          content.toString('utf8', at + 2, at + 2 + content.readUInt16BE(at)),
        )
      }
    return [...snapshot.rows].map(([id, row]) => ({
      id,
      row,
      state: stateOf(row),
      queue: kinds.get(kindAt(row)) ?? '',
      life: ((row[1] ?? 0) & 1) > 0 ? row.subarray(24, 64) : Buffer.alloc(40),
    }))
  }
}

type Counts = Map<string, Record<string, number>>

async function takeSnapshotOfTallies(connection: Connection): Promise<Counts> {
  const queues = await connection.ask('SMEMBERS', connection.keys.queues)
  const counts: Counts = new Map()
  for (const queue of Array.isArray(queues) ? queues.map(String) : []) {
    const reply = await connection.ask('HGETALL', connection.keys.tally(queue))
    const fields = fieldsOf(Array.isArray(reply) ? reply : [])
    if (fields.length > 0)
      counts.set(
        queue,
        Object.fromEntries(fields.map(([field, value]) => [field, Number(String(value))])),
      )
  }
  return counts
}

export const nameOf = (id: string): string => idAt(Buffer.from(id, 'latin1'), 0)
export const broken = (law: string, ids: readonly string[]): Finding[] =>
  ids.slice(0, 100).map((id) => ({ law, detail: nameOf(id) }))

function counters(kept: readonly Kept[], before: Counts, after: Counts): Finding[] {
  const stored: Counts = new Map()
  for (const { queue, state } of kept) {
    const counts = stored.get(queue) ?? {}
    const column = `${STATES.indexOf(state)}`
    counts[column] = (counts[column] ?? 0) + 1
    stored.set(queue, counts)
  }
  const findings: Finding[] = []
  for (const [queue, counts] of before) {
    const sum = Object.entries(counts)
      .filter(([column]) => column !== 'accepted')
      .reduce((total, [, count]) => total + count, 0)
    if (sum !== (counts.accepted ?? 0))
      findings.push({
        law: 'accepted = ended + live + erased',
        detail: `${queue}: ${counts.accepted ?? 0} accepted`,
      })
    const isStill = JSON.stringify(counts) === JSON.stringify(after.get(queue))
    const differs = STATES.some(
      (_, i) => (counts[`${i}`] ?? 0) !== (stored.get(queue)?.[`${i}`] ?? 0),
    )
    if (isStill && differs)
      findings.push({ law: 'counters agree with what is stored', detail: queue })
  }
  for (const queue of stored.keys())
    if (!before.has(queue) && !after.has(queue))
      findings.push({ law: 'every queue has its counters', detail: queue })
  return findings
}

/** Whose a running job is, under which fence, in which receipt. */
const standing = (id: string, life: Buffer): string =>
  `${life.toString('latin1', 0, 16)}${id}${life.readUIntBE(16, 6)} ${life.readUIntBE(22, 6)}`

function receipts(kept: readonly Kept[], snapshot: Snapshot): Finding[] {
  const findings: Finding[] = []
  const workers = new Set(
    [...snapshot.entries('workers').values()].flat().map((id) => id.toString('latin1')),
  )
  const open = snapshot.entries('open')
  const given = new Map<string, number>()
  for (const [worker, entries] of snapshot.entries('receipts')) {
    if (!workers.has(worker))
      findings.push({ law: 'every receipt has its worker', detail: nameOf(worker) })
    const counted = new Map(fieldsOf(open.get(worker) ?? []))
    for (const [n, receipt] of fieldsOf(entries)) {
      let running = 0
      for (let at = 0; at < receipt.length; at += ENTRY) {
        const id = receipt.toString('latin1', at + 6, at + 22)
        const row = snapshot.rows.get(id)
        const fence = receipt.readUIntBE(at + 22, 6)
        const key = `${worker}${id}${fence} ${n}`
        if (row && stateOf(row) === 'running' && standing(id, row.subarray(24, 64)) === key)
          running++
        given.set(key, (given.get(key) ?? 0) + 1)
      }
      if (Number(String(counted.get(n))) !== running)
        findings.push({
          law: 'a receipt counts the jobs that still run',
          detail: `${nameOf(worker)} ${n}`,
        })
    }
  }
  const astray = kept.filter(
    ({ id, state, life }) => state === 'running' && given.get(standing(id, life)) !== 1,
  )
  return [
    ...findings,
    ...broken(
      'a running job stands in exactly one receipt of its worker',
      astray.map(({ id }) => id),
    ),
  ]
}
