import type { Duplex } from 'node:stream'
import type { Bytes } from '../base/json.ts'

/** What travels in one frame: a small message as JSON, and bytes that nobody on the way looks into. */
export type Frame<Message> = { message: Message; bytes: readonly Bytes[] }

const HEAD_BYTES = 8

/**
 * Batches of messages over a byte stream. All that is said in one turn of the event loop leaves in one
 * write: two lengths, the messages with the lengths of their bytes as one JSON text, then the bytes.
 */
export class Frames<Out, In> {
  readonly #stream: Duplex
  readonly #hear: (frame: Frame<In>) => void
  #out: Frame<Out>[] = []
  #pending: Buffer[] = []
  #pendingBytes = 0
  #neededBytes = HEAD_BYTES

  constructor(stream: Duplex, hear: (frame: Frame<In>) => void) {
    this.#stream = stream
    this.#hear = hear
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
  }

  say(message: Out, bytes: readonly Bytes[] = []): void {
    this.#out.push({ message, bytes })
    if (this.#out.length === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const frames = this.#out
    this.#out = []
    if (this.#stream.destroyed) return
    const header = Buffer.from(
      JSON.stringify(
        frames.map(({ message, bytes }) => [message, ...bytes.map((part) => part.length)]),
      ),
    )
    const parts = frames.flatMap(({ bytes }) => bytes)
    const head = Buffer.allocUnsafe(HEAD_BYTES)
    head.writeUInt32BE(header.length, 0)
    head.writeUInt32BE(
      parts.reduce((sum, part) => sum + part.length, 0),
      4,
    )
    this.#stream.write(Buffer.concat([head, header, ...parts]))
  }

  #receive(chunk: Buffer): void {
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    if (this.#pendingBytes < this.#neededBytes) return
    let rest = this.#pending.length === 1 ? chunk : Buffer.concat(this.#pending)
    for (;;) {
      this.#neededBytes = batchBytes(rest)
      if (rest.length < this.#neededBytes) break
      this.#read(rest.subarray(0, this.#neededBytes))
      rest = rest.subarray(this.#neededBytes)
    }
    this.#pending = rest.length > 0 ? [rest] : []
    this.#pendingBytes = rest.length
  }

  #read(batch: Buffer): void {
    let at = HEAD_BYTES + batch.readUInt32BE(0)
    const lines: [In, ...number[]][] = JSON.parse(batch.toString('utf8', HEAD_BYTES, at))
    for (const [message, ...lengths] of lines) {
      const bytes = lengths.map((length) => batch.subarray(at, (at += length)))
      this.#hear({ message, bytes })
    }
  }
}

const batchBytes = (batch: Buffer): number =>
  batch.length < HEAD_BYTES
    ? HEAD_BYTES
    : HEAD_BYTES + batch.readUInt32BE(0) + batch.readUInt32BE(4)
