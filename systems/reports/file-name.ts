import { z } from 'zod'

/**
 * A file of messages that were sent together. Its name says all that is asked before it is opened: from when on, until
 * when, how many, as what, and which send it was.
 */
export type SourceFile = {
  fromMs: number
  toMs: number
  rows: number
  origin: 'one-off' | 'batch'
  id: string
}

const NAME = /^(\d{13})-(\d{13})-(\d+)-(one-off|batch)-([\w-]{1,64})\.ndjson$/
const Sent = z.enum(['one-off', 'batch'])

export const nameOf = ({ fromMs, toMs, rows, origin, id }: SourceFile): string =>
  `${fromMs}-${toMs}-${rows}-${origin}-${id}.ndjson`

/** Nothing for whatever else lies there. */
export function readName(name: string): SourceFile | undefined {
  const [, from, to, rows, origin, id = ''] = NAME.exec(name) ?? []
  const sent = Sent.safeParse(origin)
  return sent.success
    ? { fromMs: Number(from), toMs: Number(to), rows: Number(rows), origin: sent.data, id }
    : undefined
}

/** The folder of a file: the day in UTC on which its first message was accepted. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
