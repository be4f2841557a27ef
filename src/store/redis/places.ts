import type { Finding } from '../contract.ts'
import { stateOf, turnOf } from './rows.ts'
import type { Snapshot } from './snapshot.ts'
import { type Kept, nameOf } from './verify.ts'

const LINED = 2
const CHUNK = 256
const SETS = ['scheduled', 'waiting', 'failed', 'cancelled'] as const

/** Every job that stands somewhere stands there once, and every kept one has its seat among the turns. */
export function placesOf(kept: readonly Kept[], { rows, entries }: Snapshot): Finding[] {
  const stands = new Map<string, number>()
  const add = (places: readonly Buffer[], state: string, isLine: boolean) => {
    for (const place of places) {
      const id = place.toString('latin1', 6)
      const row = rows.get(id)
      if (row === undefined || turnOf(row) !== place.readUIntBE(0, 6)) continue
      const isLined = ((row[1] ?? 0) & LINED) > 0
      if (stateOf(row) === state && (state !== 'ready' || isLined === isLine))
        stands.set(id, (stands.get(id) ?? 0) + 1)
    }
  }
  for (const set of SETS) add(entries(set).get('') ?? [], set, false)
  for (const places of entries('line').values()) add(places, 'ready', true)
  for (const places of entries('held').values()) add(places, 'ready', true)
  for (const places of entries('ready').values()) add(places, 'ready', false)

  const findings: Finding[] = []
  const find = (law: string, id: string) => findings.push({ law, detail: nameOf(id) })
  for (const { id, row, state } of kept) {
    if (state !== 'running' && state !== 'completed' && stands.get(id) !== 1)
      find('a job stands where its state says, once', id)
    const turn = turnOf(row)
    const chunk = entries('turns').get(`${Math.floor(turn / CHUNK)}`)?.[0]
    const at = (turn % CHUNK) * 16
    if (chunk?.toString('latin1', at, at + 16) !== id) find('every job has its turn', id)
  }
  for (const set of SETS)
    for (const place of entries(set).get('') ?? []) {
      const id = place.toString('latin1', 6)
      if (!rows.has(id)) find('every place has its job', id)
    }
  return findings.slice(0, 100)
}
