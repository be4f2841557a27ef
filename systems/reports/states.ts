import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { iso } from './window.ts'

export type Sent = { status: 'accepted' | 'delivered' | 'failed'; at?: string }

const SIZE = 16
const WORDS: Readonly<Record<string, Sent['status']>> = { D: 'delivered', F: 'failed' }
const RIGHTS = 0o600

/**
 * What became of the messages of one file, a record of sixteen bytes each, at its row's place: written twice, it is the
 * same, and any number of processes write at once. It holds a letter and a time, no recipient. What was delivered stays
 * so: who gave it up may be told late.
 */
export async function writeState(path: string, row: number, status: 'delivered' | 'failed') {
  const record = Buffer.from(recordOf(status === 'delivered' ? 'D' : 'F'))
  await using handle = await open(path, constants.O_CREAT | constants.O_RDWR, RIGHTS)
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, row * SIZE)
  if (status === 'failed' && buffer.toString() === 'D') return
  await handle.write(record, 0, SIZE, row * SIZE)
}

/** Those of a span of rows, which nobody was asked to send: none of them was delivered. */
export async function giveUp(path: string, from: number, upto: number): Promise<void> {
  if (upto <= from) return
  await using handle = await open(path, constants.O_CREAT | constants.O_WRONLY, RIGHTS)
  await handle.write(recordOf('F').repeat(upto - from), from * SIZE)
}

const recordOf = (letter: string): string => `${letter}${Date.now()} \n`

export async function readStates(path: string): Promise<(row: number) => Sent> {
  const bytes = await readFile(path).catch(orNone)
  return (row) => {
    const record = bytes.toString('latin1', row * SIZE, row * SIZE + SIZE)
    const status = WORDS[record.charAt(0)]
    return status ? { status, at: iso(Number(record.slice(1, 14))) } : { status: 'accepted' }
  }
}

function orNone(error: unknown): Buffer {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0)
  throw error
}
