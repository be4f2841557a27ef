import { crc32, deflateSync, inflateSync } from 'node:zlib'

/** Red, green, blue and alpha of every pixel, row by row. */
export type Pixels = { width: number; height: number; data: Uint8Array }

/** Not a picture that can be read here. */
export class PngUnfit extends Error {
  override readonly name = 'PngUnfit'
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const PIXELS_MAX = 40_000_000
/** Bytes a pixel, by colour type: grey, RGB, palette, grey with alpha, RGB with alpha. */
const CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
])

/** What the head says, before a pixel is read. @throws PngUnfit */
export function pngSize(content: Uint8Array): { width: number; height: number } {
  const { width, height } = readHead(Buffer.from(content))
  return { width, height }
}

function readHead(png: Buffer) {
  if (png.length < 33 || !png.subarray(0, 8).equals(SIGNATURE)) throw new PngUnfit('this is no PNG')
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const [depth, colour, interlaced] = [png.readUInt8(24), png.readUInt8(25), png.readUInt8(28)]
  const channels = CHANNELS.get(colour)
  if (channels === undefined || depth !== 8 || interlaced !== 0)
    throw new PngUnfit('only PNG files with 8 bits a channel and no interlacing are read')
  if (width === 0 || height === 0 || width * height > PIXELS_MAX)
    throw new PngUnfit(`a picture has at most ${PIXELS_MAX} pixels`)
  return { width, height, colour, channels }
}

/** @throws PngUnfit */
export function decodePng(content: Uint8Array): Pixels {
  const png = Buffer.from(content)
  const { width, height, colour, channels } = readHead(png)
  const chunks = readChunks(png)
  const stride = width * channels
  const raw = inflate(chunks.get('IDAT') ?? [], (stride + 1) * height)
  unfilter(raw, stride, height, channels)
  const [palette] = chunks.get('PLTE') ?? []
  const [alphas] = chunks.get('tRNS') ?? []
  const data = new Uint8Array(width * height * 4)
  for (let y = 0, to = 0; y < height; y++) {
    const row = y * (stride + 1) + 1
    for (let x = 0; x < width; x++, to += 4) {
      const at = row + x * channels
      const one = raw[at] ?? 0
      if (colour === 3) {
        for (let i = 0; i < 3; i++) data[to + i] = palette?.[one * 3 + i] ?? 0
        data[to + 3] = alphas?.[one] ?? 255
      } else {
        const isGrey = channels < 3
        for (let i = 0; i < 3; i++) data[to + i] = isGrey ? one : (raw[at + i] ?? 0)
        const hasAlpha = channels % 2 === 0
        data[to + 3] = hasAlpha ? (raw[at + channels - 1] ?? 255) : 255
      }
    }
  }
  return { width, height, data }
}

function readChunks(png: Buffer): Map<string, Buffer[]> {
  const chunks = new Map<string, Buffer[]>()
  for (let at = 8; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at)
    const name = png.toString('latin1', at + 4, at + 8)
    if (at + 12 + length > png.length) break
    chunks.set(name, [...(chunks.get(name) ?? []), png.subarray(at + 8, at + 8 + length)])
    at += 12 + length
  }
  return chunks
}

/** No more than the head has promised: a small file cannot fill the memory. */
function inflate(parts: readonly Buffer[], bytes: number): Buffer {
  try {
    const raw = inflateSync(Buffer.concat(parts), { maxOutputLength: bytes })
    if (raw.length === bytes) return raw
  } catch {
    // Falls through to the refusal.
  }
  throw new PngUnfit('the picture is damaged')
}

/** Rows are written as differences to what lies left and above. */
function unfilter(raw: Buffer, stride: number, height: number, step: number): void {
  for (let y = 0; y < height; y++) {
    const row = y * (stride + 1)
    const filter = raw[row] ?? 0
    for (let x = 1; x <= stride; x++) {
      const left = x > step ? (raw[row + x - step] ?? 0) : 0
      const up = y > 0 ? (raw[row - stride - 1 + x] ?? 0) : 0
      const corner = x > step && y > 0 ? (raw[row - stride - 1 + x - step] ?? 0) : 0
      raw[row + x] = (raw[row + x] ?? 0) + guess(filter, left, up, corner)
    }
  }
}

function guess(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left
  if (filter === 2) return up
  if (filter === 3) return (left + up) >> 1
  if (filter !== 4) return 0
  const [byLeft, byUp] = [Math.abs(up - corner), Math.abs(left - corner)]
  const byCorner = Math.abs(left + up - 2 * corner)
  if (byLeft <= byUp && byLeft <= byCorner) return left
  return byUp <= byCorner ? up : corner
}

export function encodePng({ width, height, data }: Pixels): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 6, 0, 0, 0], 8)
  const raw = Buffer.alloc((width * 4 + 1) * height)
  for (let y = 0; y < height; y++)
    raw.set(data.subarray(y * width * 4, (y + 1) * width * 4), y * (width * 4 + 1) + 1)
  const parts = [chunk('IHDR', head), chunk('IDAT', deflateSync(raw)), chunk('IEND')]
  return Buffer.concat([SIGNATURE, ...parts])
}

function chunk(name: string, content: Uint8Array = new Uint8Array()): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}
