import { streamCsvRows } from 'hucre/csv'
import { z } from 'zod'
import type { Contact } from '../mails/contacts.ts'
import type { Misfit } from './imports.ts'

const FIELDS = ['name', 'email', 'team'] as const
const Row = z.object({
  name: z.string().trim().min(1, 'is missing').max(200, 'is too long'),
  email: z.email('is no address'),
  team: z.string().trim().max(200, 'is too long').default(''),
})

type Line = { row: number } & ({ contact: Omit<Contact, 'id'> } | { misfit: Misfit })

/** The first line does not name the columns that are needed. */
export class NoHead extends Error {
  override readonly name = 'NoHead'
}

/** The lines of a CSV, each a contact or the reason why it is none. Row 1 is the first below the head. */
export function* linesOf(content: Uint8Array): Generator<Line> {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
  let places: Map<string, number> | undefined
  let row = 0
  for (const cells of streamCsvRows(text, { skipEmptyRows: true })) {
    if (places) yield lineOf(++row, cells, places)
    else places = placesIn(cells)
  }
  if (places === undefined) throw new NoHead(HEAD)
}

const HEAD = `the first line needs the columns ${FIELDS.join(', ')}`

function placesIn(cells: readonly unknown[]): Map<string, number> {
  const places = new Map(cells.map((cell, i) => [String(cell).trim().toLowerCase(), i]))
  if (places.has('name') && places.has('email')) return places
  throw new NoHead(HEAD)
}

function lineOf(row: number, cells: readonly unknown[], places: Map<string, number>): Line {
  const given = FIELDS.map((field) => [field, cellAt(cells, places.get(field))])
  const { success, data, error } = Row.safeParse(Object.fromEntries(given))
  if (success) return { row, contact: { name: data.name, address: data.email, team: data.team } }
  const [issue] = error.issues
  const field = String(issue?.path[0] ?? 'row')
  return { row, misfit: { row, field, why: issue?.message ?? 'does not fit' } }
}

/** Nothing is guessed about cells: they are texts. */
function cellAt(cells: readonly unknown[], place: number | undefined): string | undefined {
  const cell = place === undefined ? undefined : cells[place]
  return typeof cell === 'string' ? cell : undefined
}
