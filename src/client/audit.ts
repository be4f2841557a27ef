import { type By, encodeEntry, type Entry } from '../job/audit.ts'
import type { Intake } from '../store/contract.ts'

/** With `by` it is written into the audit log, before it is done. */
export type OnBehalf = { by?: By | undefined }

/**
 * Writes down who does what, before it is done: a process that dies in between leaves a line about what was only asked,
 * never an act that nobody asked for (docs/notes/0023). Without a `by` there is nothing to write.
 */
export async function writeDown(
  intake: Pick<Intake, 'audit'>,
  entry: Omit<Entry, keyof By>,
  by: By | undefined,
): Promise<void> {
  if (by !== undefined) await intake.audit([encodeEntry(entry, by)])
}
