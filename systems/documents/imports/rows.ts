import { z } from 'zod'
import { isBlank, recordsOf } from '../../common/csv.ts'
import type { Told } from '../mails/contacts.ts'
import type { Misfit } from './imports.ts'

const FIELDS = ['name', 'email', 'team'] as const
const Row = z.object({
  name: z.string('is missing').trim().min(1, 'is missing').max(200, 'is too long'),
  // One person writes it in many ways.
  email: z.string('is missing').trim().toLowerCase().pipe(z.email('is no address')),
  team: z.string().trim().max(200, 'is too long').optional(),
})

type Line = { row: number } & ({ contact: Told } | { misfit: Misfit })

/** Why a file is no list of contacts. */
export class NoContacts extends Error {
  override readonly name = 'NoContacts'
}

/**
 * The lines of a CSV, each a contact or the reason why it is none. Row 1 is the first below the head; blank ones count,
 * and are passed over.
 * @throws NoContacts, BrokenCsv
 */
export function linesOf(content: Uint8Array): Line[] {
  const [head = [], ...records] = recordsOf(textOf(content))
  const places = new Map(head.map((cell, i) => [cell.trim().toLowerCase(), i]))
  if (!places.has('name') || !places.has('email'))
    throw new NoContacts(
      'the first line needs the columns name and email, and may have team, with commas, semicolons or tabs between',
    )
  return records.flatMap((record, i) => (isBlank(record) ? [] : [lineOf(i + 1, record, places)]))
}

function textOf(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    throw new NoContacts('the file is no text in UTF-8: save it as "CSV UTF-8"')
  }
}

function lineOf(row: number, cells: readonly string[], places: Map<string, number>): Line {
  const given = FIELDS.map((field) => [field, cells[places.get(field) ?? cells.length]])
  const { success, data, error } = Row.safeParse(Object.fromEntries(given))
  if (success) return { row, contact: { name: data.name, address: data.email, team: data.team } }
  const [issue] = error.issues
  const field = String(issue?.path[0] ?? 'row')
  return { row, misfit: { row, field, why: issue?.message ?? 'does not fit' } }
}
