import { Unreadable } from '../client/sending.ts'

const NDJSON = /^application\/(?:x-)?nd-?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i
const LINE_BYTES_MAX = 1_048_576
const NEWLINE = 10
const EXCERPT = 1024

export const isNdjson = (type: string | undefined): boolean => NDJSON.test(type ?? '')

/** A value a line; a line that is none stands in its place as what it is. Blank lines are no items. */
export async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator {
  let rest: Buffer = Buffer.alloc(0)
  let isTooLong = false
  for await (const chunk of body) {
    let bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk)
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE)) {
      // Of a line that is too long the beginning was told already.
      if (!isTooLong) yield* readLine(bytes.subarray(0, at))
      isTooLong = false
      bytes = bytes.subarray(at + 1)
    }
    if (bytes.length > LINE_BYTES_MAX && !isTooLong) {
      isTooLong = true
      yield new Unreadable(bytes.toString('utf8', 0, EXCERPT), 'the line is too long')
    }
    rest = isTooLong ? Buffer.alloc(0) : bytes
  }
  if (!isTooLong) yield* readLine(rest)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function* readLine(line: Buffer): Generator {
  let text = ''
  try {
    text = decoder.decode(line).trim()
  } catch {
    yield new Unreadable(line.toString('latin1', 0, EXCERPT), 'the line is not UTF-8')
    return
  }
  if (text === '') return
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = new Unreadable(text.slice(0, EXCERPT), 'the line is not JSON')
  }
  yield value
}
