import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import type { Bytes } from '../base/json.ts'
import { ErrandError } from './errors.ts'
import type { JobId } from './job.ts'

/**
 * Private data at rest: bytes in an envelope that says under which key they were sealed, and nothing else. It
 * opens only where it was sealed for: another job, field or tenant is another lock.
 *
 *     version 1 · suite 1 · key id after its length · nonce 12 · data key 32 · tag 16 · commitment 32
 *     · nonce 12 · the bytes · tag 16
 *
 * A data key of its own is drawn for every envelope (AES-256-GCM, NIST SP 800-38D) and wrapped by the named key.
 */
export type Place = { tenant: string; id: JobId; field: string }

/** No JSON text begins with it. */
const VERSION = 1
const SUITE = 1
const KEY = 32
const NONCE = 12
const TAG = 16
const CIPHER = 'aes-256-gcm'
const CONTEXT = 'errand/seal/v1'
const ID = /^[\w.-]{1,64}$/

export const isSealed = (bytes: Bytes): boolean => bytes[0] === VERSION

/** The keys of an installation: the first seals, all of them open. */
export class Keyring {
  readonly #keys: ReadonlyMap<string, Buffer>
  readonly #first: readonly [string, Buffer]
  readonly #marker: Buffer

  private constructor(
    keys: readonly (readonly [string, Buffer])[],
    first: readonly [string, Buffer],
  ) {
    this.#keys = new Map(keys)
    this.#first = first
    const [, last] = keys.at(-1) ?? first
    this.#marker = Buffer.from(hkdfSync('sha256', last, '', `${CONTEXT}/mark`, KEY))
  }

  /**
   * Reads `id:key` parts between commas, each key 32 bytes in base64; undefined when it spells none. The first
   * seals. To rotate, put a new one before the others, and drop an old one once nothing is left that it sealed.
   */
  static read(text: string): Keyring | undefined {
    const keys = text.split(',').map((part) => {
      const [id = '', key = ''] = part.trim().split(/:(.*)/s)
      return [id, Buffer.from(key, 'base64')] as const
    })
    const areKeys = keys.every(
      ([id, key], i) =>
        ID.test(id) && key.length === KEY && isStrict(text.split(',')[i] ?? '', id, key),
    )
    const [first] = keys
    if (!areKeys || first === undefined || new Set(keys.map(([id]) => id)).size < keys.length)
      return undefined
    return new Keyring(keys, first)
  }

  get ids(): readonly string[] {
    return [...this.#keys.keys()]
  }

  seal(bytes: Bytes, place: Place): Bytes {
    const [id, key] = this.#first
    const label = labelOf(place, id)
    const dataKey = randomBytes(KEY)
    const wrapped = encrypt(key, dataKey, label)
    const sealed = encrypt(dataKey, bytes, label)
    const head = Buffer.from([VERSION, SUITE, id.length])
    return Buffer.concat([head, Buffer.from(id), wrapped, commitmentOf(dataKey), sealed])
  }

  /** @throws ErrandError SEAL_UNKNOWN (no such key here), SEAL_BROKEN (it is not what was sealed, or not there) */
  open(given: Bytes, place: Place): Bytes {
    const sealed = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
    const id = sealed.toString('latin1', 3, 3 + (sealed[2] ?? 0))
    const key = this.#keys.get(id)
    if (key === undefined)
      throw new ErrandError('SEAL_UNKNOWN', { key: ID.test(id) ? id : 'given' })
    if (sealed[0] !== VERSION || sealed[1] !== SUITE)
      throw new ErrandError('SEAL_BROKEN', { id: place.id })
    const from = 3 + id.length
    const wrapped = sealed.subarray(from, from + NONCE + KEY + TAG)
    const at = from + wrapped.length
    try {
      const label = labelOf(place, id)
      const dataKey = decrypt(key, wrapped, label)
      // GCM alone would open one envelope under two keys.
      if (!timingSafeEqual(sealed.subarray(at, at + KEY), commitmentOf(dataKey)))
        throw new RangeError('another key')
      return decrypt(dataKey, sealed.subarray(at + KEY), label)
    } catch {
      // One text, whatever was wrong with it.
      throw new ErrandError('SEAL_BROKEN', { id: place.id })
    }
  }

  /** Vouches for a text with the first key: a mark that nobody makes who has none. */
  sign(text: string): string {
    const [id, key] = this.#first
    return `${id}.${signatureOf(key, text)}`
  }

  /** Whether a mark was made so for this text; undefined where its key is not here. */
  isSigned(text: string, mark: string): boolean | undefined {
    const at = mark.lastIndexOf('.')
    const key = this.#keys.get(mark.slice(0, at))
    return key && signatureOf(key, text) === mark.slice(at + 1)
  }

  /** What stands for a private value where it must be compared: the same for the same value, and no way back. */
  mark(value: string): string {
    return createHmac('sha256', this.#marker).update(value).digest('base64url')
  }
}

/** `Buffer.from` skips what is no base64: what it read must spell what it was given. */
const isStrict = (part: string, id: string, key: Buffer): boolean =>
  part
    .trim()
    .slice(id.length + 1)
    .replace(/=+$/, '') === key.toString('base64').replace(/=+$/, '')

function encrypt(key: Bytes, bytes: Bytes, label: Bytes): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG }).setAAD(label)
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
}

/** The length of the tag is said: without it four bytes would do. */
function decrypt(key: Bytes, sealed: Buffer, label: Bytes): Buffer {
  const nonce = sealed.subarray(0, NONCE)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG })
    .setAAD(label)
    .setAuthTag(sealed.subarray(-TAG))
  return Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()])
}

const commitmentOf = (dataKey: Bytes): Buffer =>
  Buffer.from(hkdfSync('sha256', dataKey, '', `${CONTEXT}/commit`, KEY))

function signatureOf(key: Bytes, text: string): string {
  const own = Buffer.from(hkdfSync('sha256', key, '', `${CONTEXT}/sign`, KEY))
  return createHmac('sha256', own).update(text).digest('base64url')
}

/** Lengths before parts, so that no two places have one label. */
function labelOf({ tenant, id, field }: Place, key: string): Buffer {
  const parts = [CONTEXT, tenant, id, field, key].map((part) => Buffer.from(part))
  return Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]))
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(part.length)
  return length
}
