import assert from 'node:assert/strict'
import { z } from 'zod'
import type { Held } from '../support/hand.ts'
import { bytes } from '../support/jobs.ts'
import type { Door } from './door.ts'

const View = z.looseObject({
  state: z.string(),
  rev: z.number(),
  progress: z.object({ done: z.number().optional() }).optional(),
})

export type Told = z.infer<typeof View>

/** An event stream read by hand: nothing is taken from it before a test asks. */
export class Stream {
  readonly answer: Response
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #text = ''

  constructor(answer: Response) {
    assert.equal(answer.status, 200)
    assert(answer.body)
    this.answer = answer
    this.#reader = answer.body.getReader()
  }

  /** A stream past the line that tells when to come back. */
  static async open(answer: Response | Promise<Response>): Promise<Stream> {
    const stream = new Stream(await answer)
    assert.match((await stream.frame()) ?? 'it ended', /^retry: \d+$/)
    return stream
  }

  /** What stands up to the next empty line; undefined at the end. */
  async frame(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end !== -1) return this.#cut(end)
      const more = await this.#take()
      if (more === undefined) return undefined
      this.#text += more
    }
  }

  /** The job of the next event; undefined at the end. */
  async view(): Promise<Told | undefined> {
    const frame = await this.frame()
    if (frame === undefined) return undefined
    const [, id, data = ''] = /^event: job\nid: (\d+)\ndata: (.*)$/.exec(frame) ?? []
    const view = View.parse(JSON.parse(data))
    assert.equal(id, `${view.rev}`)
    return view
  }

  #cut(end: number): string {
    const frame = this.#text.slice(0, end)
    this.#text = this.#text.slice(end + 2)
    return frame
  }

  /** Up to the next piece that holds the end of a line: looking at each anew would take long. */
  async #take(): Promise<string | undefined> {
    const pieces: string[] = []
    while (pieces.at(-1)?.includes('\n') !== true) {
      const { done, value } = await this.#reader.read()
      if (done) return undefined
      pieces.push(this.#decoder.decode(value, { stream: true }))
    }
    return pieces.join('')
  }
}

export const eventsOf = (id: string): string => `/v1/jobs/${id}/events`

/** Follows a job, without a connection. */
export const follow = (door: Door, id: string, headers?: Record<string, string>): Promise<Stream> =>
  Stream.open(door.get(eventsOf(id), headers))

/** Reports progress of a running job: a change to be seen. */
export const report = (door: Door, held: Held, done: number) =>
  door.hand.note(held, { progress: bytes(`{"done":${done}}`) })
