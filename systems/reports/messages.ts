import { randomUUID } from 'node:crypto'
import { access, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FatalError } from 'errand'
import { z } from 'zod'
import { askedBy, noteAsked, sweepAsked } from './asked.ts'
import { claim, type Claim, sweepClaims } from './claims.ts'
import type { Origin } from './contract.ts'
import { dayOf, nameOf, readName, type SourceFile } from './file-name.ts'
import { lineAt, linesOf } from './lines.ts'
import { giveUp, readStates, type Sent, writeState } from './states.ts'
import type { Window } from './window.ts'

/** A message as it lies in a source file, one a line. Those of a sample know already what became of them. */
export type Message = { at: string; to: string; template: string; status?: Sent['status'] }
export type Reported = Message & { origin: SourceFile['origin']; status: string; statusAt?: string }
export type Span = { from: Window['from']; to: Window['to']; origin: Origin }
export type Place = { file: string; row: number; at: number }

const Message = z.object({
  at: z.string(),
  to: z.string(),
  template: z.string(),
  status: z.enum(['accepted', 'delivered', 'failed']).optional(),
})
const DAY = /^\d{4}-\d\d-\d\d$/
const DAY_MS = 86_400_000
/** Of a folder, with each of its bytes written as three. */
const NAME_MAX = 80
const PIECE = 65_536

/** The source of messages: files in a folder, by service and day. Nothing else in this system holds a recipient. */
export class Messages {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** Makes the folder: from then on one that is not there is an error, and no message that is missing. */
  async open(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 })
  }

  /** Remembers that somebody joined a report of another. */
  noteAsked(service: string, owner: string, id: string): Promise<void> {
    return noteAsked(this.#folder(service), owner, id)
  }

  askedBy(service: string, owner: string): Promise<string[]> {
    return askedBy(this.#folder(service), owner)
  }

  /** What was claimed first under an id. */
  claim(service: string, id: string, own: Claim): Promise<Claim> {
    return claim(this.#folder(service), id, own)
  }

  /** Lays down what is to be sent, whole or not at all, and says where each message stands. Done again, it is the same. */
  async add(service: string, about: Omit<SourceFile, 'rows'>, messages: Iterable<Message>) {
    const folder = join(this.#folder(service), dayOf(about.fromMs))
    const draft = join(folder, `.${randomUUID()}`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const places: { row: number; at: number }[] = []
    let at = 0
    {
      await using handle = await open(draft, 'w', 0o600)
      let piece = ''
      for (const message of messages) {
        const line = `${JSON.stringify(message)}\n`
        places.push({ row: places.length, at })
        at += Buffer.byteLength(line)
        piece += line
        if (piece.length < PIECE) continue
        await handle.write(piece)
        piece = ''
      }
      await handle.write(piece)
      await handle.sync()
    }
    const name = nameOf({ ...about, rows: places.length })
    await rename(draft, join(folder, name))
    return places.map((place) => ({ file: `${dayOf(about.fromMs)}/${name}`, ...place }))
  }

  /** Takes back what was laid down and will not be sent. */
  async remove(service: string, { file }: Pick<Place, 'file'>): Promise<void> {
    await rm(this.#path(service, file), { force: true })
  }

  async one(service: string, { file, row, at }: Place): Promise<Message> {
    return read(await lineAt(this.#path(service, file), at), row)
  }

  settle(
    service: string,
    { file, row }: Pick<Place, 'file' | 'row'>,
    status: 'delivered' | 'failed',
  ): Promise<void> {
    return writeState(statesOf(this.#path(service, file)), row, status)
  }

  /** Of a file, all from a row on: nobody will send them. */
  giveUp(service: string, { file }: Pick<Place, 'file'>, from: number): Promise<void> {
    const upto = readName(file.split('/')[1] ?? '')?.rows ?? 0
    return giveUp(statesOf(this.#path(service, file)), from, upto)
  }

  /** How many messages a window holds: told by the names of files; one that reaches over an edge is read. */
  async count(service: string, span: Span): Promise<number> {
    const [from, to] = [Date.parse(span.from), Date.parse(span.to)]
    let count = 0
    for await (const [path, { fromMs, toMs, rows }] of this.#within(service, span)) {
      const isWhole = fromMs >= from && toMs < to
      count += isWhole ? rows : await countIn(messagesIn(path, span))
    }
    return count
  }

  /** The messages of a window, in the order in which they were accepted. */
  async *read(service: string, span: Span): AsyncGenerator<Reported> {
    for await (const [path, { origin }] of this.#within(service, span)) {
      const stateOf = await readStates(statesOf(path))
      for await (const { message, row } of messagesIn(path, span)) {
        const state = message.status ? { status: message.status } : stateOf(row)
        const statusAt = 'at' in state ? state.at : undefined
        yield { ...message, origin, status: state.status, ...(statusAt && { statusAt }) }
      }
    }
  }

  /** Services that have messages since then. */
  async services(since: string): Promise<string[]> {
    const active: string[] = []
    for (const service of await this.#services())
      if ((await this.#days(service)).some((day) => day >= since)) active.push(service)
    return active
  }

  async #services(): Promise<string[]> {
    const entries = await readdir(this.#root, { withFileTypes: true })
    const folders = entries.filter((entry) => entry.isDirectory())
    return folders.map(({ name }) => serviceOf(name)).filter((service) => service !== undefined)
  }

  /** Removes the days that ended before this moment. A service where that goes wrong keeps no other's. */
  async sweep(beforeMs: number): Promise<number> {
    let removed = 0
    const errors: unknown[] = []
    for (const service of await this.#services())
      try {
        removed += await this.#sweepOne(service, beforeMs)
      } catch (error) {
        errors.push(error)
      }
    if (errors.length > 0) throw new AggregateError(errors, 'not all old messages could be removed')
    return removed
  }

  async #sweepOne(service: string, beforeMs: number): Promise<number> {
    await sweepClaims(this.#folder(service), beforeMs)
    await sweepAsked(this.#folder(service), beforeMs)
    const old = (await this.#days(service)).filter((day) => Date.parse(day) + DAY_MS <= beforeMs)
    for (const day of old)
      await rm(join(this.#folder(service), day), { recursive: true, force: true })
    return old.length
  }

  async *#within(
    service: string,
    { from, to, origin }: Span,
  ): AsyncGenerator<[path: string, file: SourceFile]> {
    const [fromMs, toMs] = [Date.parse(from), Date.parse(to)]
    // A file lies under the day of its first message, and may reach into the next one.
    const first = dayOf(fromMs - DAY_MS)
    for (const day of await this.#days(service)) {
      if (day < first || day > dayOf(toMs)) continue
      for (const name of await this.#names(service, day)) {
        const file = readName(name)
        if (file === undefined || (origin !== 'all' && file.origin !== origin)) continue
        if (file.fromMs < toMs && file.toMs >= fromMs)
          yield [join(this.#folder(service), day, name), file]
      }
    }
  }

  #folder(service: string): string {
    if (service === '' || service.length > NAME_MAX)
      throw new FatalError('no service has such a name')
    return join(this.#root, folderOf(service))
  }

  #path(service: string, file: string): string {
    const [day = '', name = '', ...more] = file.split('/')
    if (!DAY.test(day) || readName(name) === undefined || more.length > 0)
      throw new FatalError('no such file of messages')
    return join(this.#folder(service), day, name)
  }

  /** A service without a folder has no messages; without the folder of all of them nobody knows. */
  #days = async (service: string) => {
    const days = await list(this.#folder(service))
    if (days.length === 0) await access(this.#root)
    return days.filter((day) => DAY.test(day)).toSorted()
  }
  #names = async (service: string, day: string) =>
    (await list(join(this.#folder(service), day))).toSorted()
}

/** Any name as that of a folder, and back. */
const folderOf = (service: string): string => encodeURIComponent(service).replace(/^\./, '%2E')
function serviceOf(folder: string): string | undefined {
  try {
    const service = decodeURIComponent(folder)
    return folderOf(service) === folder ? service : undefined
  } catch {
    return undefined
  }
}

/** Those of a file that lie within a span, and at which row. */
async function* messagesIn(path: string, { from, to }: Span) {
  let row = -1
  for await (const line of linesOf(path)) {
    row++
    if (line.trim() === '') continue
    const message = read(line, row)
    if (message.at >= from && message.at < to) yield { message, row }
  }
}

async function countIn(messages: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of messages) count++
  return count
}

const statesOf = (path: string): string => path.replace(/ndjson$/, 'states')

const list = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })

/** What a parser says of a line would repeat it: only its number is told. */
function read(line: string, row: number): Message {
  try {
    const { status, ...message } = Message.parse(JSON.parse(line))
    return { ...message, ...(status && { status }) }
  } catch {
    throw new FatalError(`line ${row + 1} of a source file is no message`)
  }
}
