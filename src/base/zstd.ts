import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Bytes } from './json.ts'

/**
 * Large values rest compressed. A frame of zstd begins with four bytes of its own, of which the first begins no JSON
 * text and no sealed envelope: what was stored before, or is small, is told apart without a mark of ours.
 */
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd] as const

/** Below this the 20 µs it takes are more than the bytes are worth. */
const FROM_BYTES = 1024
/** What saves less than this share is kept as it is. */
const SAVED_MIN = 1 / 8
/** No value of ours is larger; a frame that claims to be is not ours. */
const EXPANDED_MAX = 1_048_576

/** The same bytes where they are few, or would hardly be fewer. */
export function compress(bytes: Bytes): Bytes {
  if (bytes.length < FROM_BYTES) return bytes
  const fewer = zstdCompressSync(bytes)
  return fewer.length <= bytes.length * (1 - SAVED_MIN) ? fewer : bytes
}

/** @throws RangeError, Error where a frame is damaged or too large */
export const expand = (bytes: Bytes): Bytes =>
  isFrame(bytes) ? zstdDecompressSync(bytes, { maxOutputLength: EXPANDED_MAX }) : bytes

const isFrame = (bytes: Bytes): boolean => MAGIC.every((byte, i) => bytes[i] === byte)
