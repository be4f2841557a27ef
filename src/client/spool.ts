import { type FileHandle, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '../base/id.ts'
import type { Bytes } from '../base/json.ts'

const HELD_BYTES = 1_048_576
const LENGTH = 4

/** Records one after the other: what is too much to be held lies in a file without a name, which goes with us. */
export class Spool implements AsyncDisposable {
  #file: FileHandle | undefined
  #held: Buffer[] = []
  #bytes = 0

  async add(record: Bytes): Promise<void> {
    const length = Buffer.alloc(LENGTH)
    length.writeUInt32BE(record.length)
    this.#held.push(length, Buffer.from(record))
    this.#bytes += LENGTH + record.length
    if (this.#bytes >= HELD_BYTES) await this.#lay()
  }

  /** All of them, in their order. */
  async *records(): AsyncGenerator<Bytes> {
    let rest = Buffer.alloc(0)
    for await (const chunk of this.#chunks()) {
      const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
      let at = 0
      while (at + LENGTH <= bytes.length) {
        const upto = at + LENGTH + bytes.readUInt32BE(at)
        if (upto > bytes.length) break
        yield bytes.subarray(at + LENGTH, upto)
        at = upto
      }
      rest = Buffer.from(bytes.subarray(at))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close()
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    if (this.#file) {
      const options = { start: 0, autoClose: false, highWaterMark: HELD_BYTES }
      for await (const chunk of this.#file.createReadStream(options))
        if (Buffer.isBuffer(chunk)) yield chunk
    }
    yield Buffer.concat(this.#held)
  }

  async #lay(): Promise<void> {
    this.#file ??= await openNameless()
    await this.#file.appendFile(Buffer.concat(this.#held))
    this.#held = []
    this.#bytes = 0
  }
}

async function openNameless(): Promise<FileHandle> {
  const name = join(tmpdir(), `errand-${newId()}`)
  const file = await open(name, 'wx+', 0o600)
  // Whatever ends this process, nothing is left behind.
  await rm(name)
  return file
}
