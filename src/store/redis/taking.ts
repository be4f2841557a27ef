import type { Millis } from '../../base/time.ts'
import type { RateRow, Take } from '../../job/rate.ts'
import type { Connection } from './connection.ts'
import { number, Packer } from './pack.ts'
import { bufferOf, listOf, numberOf } from './rows.ts'

/** Calls that pass under limits. */
export async function take(takes: readonly Take[], connection: Connection): Promise<Millis[]> {
  const packer = new Packer()
  for (const { limit, count, windowMs, n, lateMs } of takes)
    packer.text(limit).long(count).six(windowMs).long(n).six(lateMs)
  const waits = await connection.call('take', ['take', packer.done()], { again: true })
  return listOf(waits).map(numberOf)
}

export async function hold(
  limit: string,
  ms: Millis,
  connection: Connection,
): Promise<Millis | undefined> {
  const options = { as: 'hold', again: true }
  const closedMs = numberOf(await connection.call('take', ['hold', limit, number(ms)], options))
  return closedMs < 0 ? undefined : closedMs
}

export async function rates(connection: Connection): Promise<RateRow[]> {
  const rows = listOf(await connection.call('rates', [], { again: true }))
  return rows.map(toRate).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function toRate(reply: unknown): RateRow {
  const [name, count, window, taken, closed] = listOf(reply)
  const [of, windowMs, until] = [count, window, closed].map((said) => String(bufferOf(said)))
  return {
    name: String(bufferOf(name)),
    ...(of !== '' && { rate: { count: Number(of), windowMs: Number(windowMs) } }),
    taken: numberOf(taken),
    ...(Number(until) > 0 && { closedUntil: Number(until) }),
  }
}
