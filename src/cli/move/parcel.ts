import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ErrandError } from '../../job/errors.ts'
import type { Adoptee, Alias, BatchCopy } from '../../job/moving.ts'
import type { Word } from '../../job/outcome.ts'
import type { Entry } from '../../store/contract.ts'
import { type End, type Head, readLine, VERSION } from './lines.ts'
import { fileFault } from './outlet.ts'

export type Part = {
  jobs: Adoptee[]
  aliases: Alias[]
  batches: BatchCopy[]
  words: Word[]
  entries: Entry[]
}

const READ_BYTES = 1_048_576
const PART_BYTES = 4_194_304
const PART_LINES = 1000
/** How the line of a batch begins. */
const BATCH = Buffer.from('{"line":"batch",')

/**
 * An export that was found whole: nothing of one that is cut, or was changed, is taken in. It is read twice,
 * so what comes through a pipe is laid down first, in a file without a name.
 */
export class Parcel implements AsyncDisposable {
  readonly head: Head
  readonly end: End
  readonly #file: FileHandle

  private constructor(file: FileHandle, head: Head, end: End) {
    this.#file = file
    this.head = head
    this.end = end
  }

  /** `-` is standard input; `folder` is where that is laid down. @throws ErrandError INVALID_EXPORT, INVALID_OPTION */
  static async open(name: string, folder: string): Promise<Parcel> {
    const file = name === '-' ? await layDown(folder) : await openFile(name)
    try {
      const { head, end } = await inspect(file)
      return new Parcel(file, head, end)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * What is in it, in its order, but for batches, which come first: where an import is cut off and work goes on,
   * they count what ends. @throws ErrandError INVALID_EXPORT
   */
  async *parts(): AsyncGenerator<Part> {
    if (this.end.batches) yield* this.#gather(isOfBatch)
    yield* this.#gather((given) => !isOfBatch(given))
  }

  async *#gather(isMeant: (given: Buffer) => boolean): AsyncGenerator<Part> {
    let part = empty()
    let bytes = 0
    let count = 0
    let number = 0
    for await (const some of linesOf(this.#file))
      for (const given of some) {
        number++
        if (!isMeant(given)) continue
        const line = readLine(given)
        if (line === undefined) throw invalid(`line ${number} is not one of an export`)
        if (line.line === 'job') part.jobs.push(strip(line))
        else if (line.line === 'alias') part.aliases.push(strip(line))
        else if (line.line === 'batch') part.batches.push(strip(line))
        else if (line.line === 'word') part.words.push(strip(line))
        else if (line.line === 'entry') part.entries.push(strip(line))
        else continue
        bytes += given.length
        if (bytes < PART_BYTES && ++count < PART_LINES) continue
        yield part
        part = empty()
        bytes = 0
        count = 0
      }
    if (count > 0) yield part
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close()
  }
}

const isOfBatch = (given: Buffer): boolean => given.subarray(0, BATCH.length).equals(BATCH)

const empty = (): Part => ({ jobs: [], aliases: [], batches: [], words: [], entries: [] })

function strip<Given extends { line: string }>({ line: _, ...rest }: Given): Omit<Given, 'line'> {
  return rest
}

/** Whether all is there, and as it was written. */
async function inspect(file: FileHandle): Promise<{ head: Head; end: End }> {
  const hash = createHash('sha256')
  let head: Head | undefined
  let last: Buffer | undefined
  let count = 0
  for await (const lines of linesOf(file))
    for (const given of lines) {
      if (last === undefined) head = readHead(given)
      else hash.update(last).update('\n')
      last = given
      count++
    }
  const end = last && readLine(last)
  if (head === undefined || end?.line !== 'end') throw invalid('it was cut off before its end')
  const { jobs, aliases, batches = 0, words = 0, entries = 0 } = end
  const told = jobs + aliases + batches + words + entries
  if (end.sha256 !== hash.digest('hex') || told !== count - 2)
    throw invalid('it is not as it was written')
  return { head, end }
}

function readHead(given: Buffer): Head {
  const line = readLine(given)
  if (line?.line !== 'export') throw invalid('it does not begin as one')
  if (line.version > VERSION) throw invalid(`a newer release wrote it (${line.release})`)
  return line
}

/** Whole lines, some at a time. Not `readline`: to that a line ends at U+2028 too, which JSON leaves in a text. */
async function* linesOf(file: FileHandle): AsyncGenerator<Buffer[]> {
  const options = { start: 0, autoClose: false, highWaterMark: READ_BYTES }
  let rest = Buffer.alloc(0)
  for await (const chunk of file.createReadStream(options)) {
    if (!Buffer.isBuffer(chunk)) continue
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const lines: Buffer[] = []
    let from = 0
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
      lines.push(bytes.subarray(from, at))
      from = at + 1
    }
    rest = Buffer.from(bytes.subarray(from))
    yield lines
  }
  // The last line ends like all others: what is left has been cut.
  if (rest.length > 0) yield [rest]
}

async function openFile(name: string): Promise<FileHandle> {
  try {
    return await open(name, 'r')
  } catch (cause) {
    throw fileFault(cause, 'be read')
  }
}

async function layDown(folder: string): Promise<FileHandle> {
  const name = join(folder, `import-${process.pid}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(name, 'wx+', 0o600)
    // Whatever ends this process, nothing is left behind.
    await rm(name)
    for await (const chunk of process.stdin) await file.write(chunk)
    return file
  } catch (cause) {
    throw fileFault(cause, 'be laid down')
  }
}

const invalid = (why: string) => new ErrandError('INVALID_EXPORT', { why })
