import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'

const PIECE = 65_536
const NEWLINE = 10

/** The lines of a file, piece by piece: one of any length is read in the same memory. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of createReadStream(path, { highWaterMark: PIECE })) {
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, piece]) : piece
    let from = 0
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      yield bytes.toString('utf8', from, to)
      from = to + 1
    }
    rest = bytes.subarray(from)
  }
  if (rest.length > 0) yield rest.toString('utf8')
}

/** The one line that begins at this byte. */
export async function lineAt(path: string, at: number): Promise<string> {
  await using handle = await open(path)
  const piece = Buffer.alloc(PIECE)
  const { bytesRead } = await handle.read(piece, 0, PIECE, at)
  const end = piece.indexOf(NEWLINE)
  return piece.toString('utf8', 0, end < 0 ? bytesRead : end)
}
