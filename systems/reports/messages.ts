import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FatalError } from 'errand'
import { z } from 'zod'
import type { Origin } from './contract.ts'
import { dayOf, nameOf, readName, type SourceFile } from './file-name.ts'
import { lineAt, linesOf } from './lines.ts'
import { readStates, type Sent, writeState } from './states.ts'
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
const SERVICE = /^[\w@-][\w.@-]{0,63}$/
const DAY = /^\d{4}-\d\d-\d\d$/
const DAY_MS = 86_400_000
const PIECE = 65_536

/** The source of messages: files in a folder, by service and day. Nothing else in this system holds a recipient. */
export class Messages {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** Lays down what is to be sent, whole or not at all, and says where each message stands. */
  async add(service: string, about: Omit<SourceFile, 'rows'>, messages: Iterable<Message>) {
    const folder = join(this.#folder(service), dayOf(about.fromMs))
    const draft = join(folder, `.${about.id}.${process.pid}`)
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

  /** Where the messages of a send stand that was laid down before. */
  async find(service: string, id: string): Promise<Place[] | undefined> {
    for (const day of await this.#days(service))
      for (const name of await this.#names(service, day)) {
        if (readName(name)?.id !== id) continue
        const places: Place[] = []
        let at = 0
        for await (const line of linesOf(join(this.#folder(service), day, name))) {
          places.push({ file: `${day}/${name}`, row: places.length, at })
          at += Buffer.byteLength(line) + 1
        }
        return places
      }
    return undefined
  }

  async one(service: string, { file, row, at }: Place): Promise<Message> {
    return read(await lineAt(this.#path(service, file), at), row)
  }

  settle(service: string, { file, row }: Place, status: 'delivered' | 'failed'): Promise<void> {
    return writeState(statesOf(this.#path(service, file)), row, status)
  }

  /** How many messages a window holds: told by the names of files, so an edge within one counts it whole. */
  async count(service: string, span: Span): Promise<number> {
    let count = 0
    for await (const [, { rows }] of this.#within(service, span)) count += rows
    return count
  }

  /** The messages of a window, in the order in which they were accepted. */
  async *read(service: string, span: Span): AsyncGenerator<Reported> {
    for await (const [path, { origin }] of this.#within(service, span)) {
      const stateOf = await readStates(statesOf(path))
      let row = 0
      for await (const line of linesOf(path)) {
        const message = read(line, row)
        const state = message.status ? { status: message.status } : stateOf(row)
        row++
        if (message.at < span.from || message.at >= span.to) continue
        const statusAt = 'at' in state ? state.at : undefined
        yield { ...message, origin, status: state.status, ...(statusAt && { statusAt }) }
      }
    }
  }

  /** Services that have messages since then. */
  async services(since: string): Promise<string[]> {
    const active: string[] = []
    for (const service of await list(this.#root))
      if (SERVICE.test(service) && (await this.#days(service)).some((day) => day >= since))
        active.push(service)
    return active
  }

  /** Removes the days that ended before this moment. */
  async sweep(beforeMs: number): Promise<number> {
    let removed = 0
    for (const service of await this.services(''))
      for (const day of await this.#days(service)) {
        if (Date.parse(day) + DAY_MS > beforeMs) continue
        await rm(join(this.#folder(service), day), { recursive: true, force: true })
        removed++
      }
    return removed
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
    if (!SERVICE.test(service)) throw new FatalError('no service has such a name')
    return join(this.#root, service)
  }

  #path(service: string, file: string): string {
    const [day = '', name = '', ...more] = file.split('/')
    if (!DAY.test(day) || readName(name) === undefined || more.length > 0)
      throw new FatalError('no such file of messages')
    return join(this.#folder(service), day, name)
  }

  #days = async (service: string) =>
    (await list(this.#folder(service))).filter((day) => DAY.test(day)).toSorted()
  #names = async (service: string, day: string) =>
    (await list(join(this.#folder(service), day))).toSorted()
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
