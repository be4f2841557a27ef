import type { Bytes } from '../../base/json.ts'

/** Small enough to come from the pool: most packers hold one job. */
const ROOM = 1024

/** Writes what a script unpacks: numbers big-endian, texts and bytes after their length. */
export class Packer {
  #buffer = Buffer.allocUnsafe(ROOM)
  #at = 0

  byte(value: number): this {
    this.#need(1)
    this.#at = this.#buffer.writeUInt8(whole(value, 0xff), this.#at)
    return this
  }

  short(value: number): this {
    this.#need(2)
    this.#at = this.#buffer.writeUInt16BE(whole(value, 0xffff), this.#at)
    return this
  }

  long(value: number): this {
    this.#need(4)
    this.#at = this.#buffer.writeUInt32BE(whole(value, 0xffff_ffff), this.#at)
    return this
  }

  /** A moment, a span or a fence. */
  six(value: number): this {
    this.#need(6)
    this.#at = this.#buffer.writeUIntBE(whole(value, 0xffff_ffff_ffff), this.#at, 6)
    return this
  }

  id(id: string): this {
    this.#need(16)
    const written = this.#buffer.write(id.replaceAll('-', ''), this.#at, 'hex')
    if (written !== 16 || id.length !== 36) throw unfit('an id is no UUID')
    this.#at += 16
    return this
  }

  bytes(bytes: Bytes): this {
    this.#need(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
    return this
  }

  /** A text after its length in two bytes. */
  text(text: string): this {
    const size = Buffer.byteLength(text)
    this.short(size).#need(size)
    this.#at += this.#buffer.write(text, this.#at)
    return this
  }

  section(code: string, bytes: Bytes): this {
    return this.byte(code.charCodeAt(0)).long(bytes.length).bytes(bytes)
  }

  sectionText(code: string, text: string): this {
    return this.section(code, Buffer.from(text))
  }

  sectionSix(code: string, value: number): this {
    return this.byte(code.charCodeAt(0)).long(6).six(value)
  }

  /** A place for a length that is not known yet. */
  hole(): number {
    this.long(0)
    return this.#at
  }

  /** Fills a hole with the number of bytes written since `from`. */
  fill(hole: number, from: number): void {
    this.#buffer.writeUInt32BE(this.#at - from, hole - 4)
  }

  get length(): number {
    return this.#at
  }

  done(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}

export const packId = (id: string): Buffer => new Packer().id(id).done()

export function packIds(ids: readonly string[]): Buffer {
  const packer = new Packer()
  for (const id of ids) packer.id(id)
  return packer.done()
}

/** Bytes as `ioredis` sends them unchanged: a plain Uint8Array it would write as the text of its numbers. */
export const toBuffer = (bytes: Bytes): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export function idAt(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export function idsIn(bytes: Buffer): string[] {
  return Array.from({ length: bytes.length / 16 }, (_, i) => idAt(bytes, 16 * i))
}

/** A number as an argument of its own. */
export const number = (value: number): number => whole(value, Number.MAX_SAFE_INTEGER)

/** Redis would wrap what does not fit, and no script is rolled back: it is refused before it is sent. */
function whole(value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value
  throw unfit('a number is out of range')
}

/** One item's fault, not the store's: whoever gathered several looks for the culprit. */
const unfit = (why: string) => new RangeError(why)
