import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Fence, JobId } from '../job/job.ts'
import { ErrandError } from '../job/errors.ts'
import type { Keyring } from '../job/seal.ts'
import { seal, unseal } from '../job/sealing.ts'
import type { Files, Place, Range, Written } from './contract.ts'

const CHUNK = 65_536
const TAG = 16
const SEALED_CHUNK = CHUNK + TAG
const CIPHER = 'aes-256-gcm'
const KEY = 32
/** As long as an envelope around a key may be. */
const HEAD_MAX = 256

type Whose = { id: JobId; tenant: string }

/**
 * Files whose bytes rest sealed. A file begins with its own key in an envelope, bound to its job, attempt and name;
 * then come its bytes in chunks that count themselves and say which is the last, so that any part can be read alone
 * and none can be cut off, repeated or put elsewhere (the STREAM construction of Hoang, Reyhanitabar, Rogaway and
 * Vizár, 2015). The digest it answers is of what lies there: one of the content would tell something about it.
 */
export class SealedFiles implements Files {
  readonly #files: Files
  readonly #whose: Whose
  readonly #keys: Keyring

  constructor(files: Files, whose: Whose, keys: Keyring) {
    this.#files = files
    this.#whose = whose
    this.#keys = keys
  }

  async write(
    place: Place,
    content: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<Written> {
    const key = randomBytes(KEY)
    const head = seal(key, this.#whose, fieldOf(place), this.#keys)
    let bytes = 0
    const counted = async function* () {
      for await (const chunk of content) {
        bytes += chunk.length
        if (bytes > bytesMax)
          throw new ErrandError('ARTIFACT_TOO_LARGE', { file: place.file, max: bytesMax })
        yield chunk
      }
    }
    const { sha256 } = await this.#files.write(place, sealed(head, key, counted()), Infinity)
    return { bytes, sha256 }
  }

  /** @throws ErrandError as the files it stands on, SEAL_UNKNOWN, SEAL_BROKEN */
  async read(place: Place, range?: Range): Promise<ReadableStream<Uint8Array>> {
    const begin = await gather(await this.#files.read(place, { from: 0, to: HEAD_MAX - 1 }))
    const head = begin.subarray(0, headLength(begin))
    const key = unseal(head, this.#whose, fieldOf(place), this.#keys)
    const { from, to } = range ?? { from: 0, to: Infinity }
    const first = Math.floor(from / CHUNK)
    // One byte more than its last chunk: whether another follows tells whether it is the last of all.
    const upto = head.length + (Math.floor(to / CHUNK) + 1) * SEALED_CHUNK
    const part = { from: head.length + first * SEALED_CHUNK, to: Math.min(upto, MAX_OFFSET) }
    const chunks = opened(await this.#files.read(place, part), key, first, this.#whose.id)
    return ReadableStream.from(cut(chunks, from - first * CHUNK, to - from + 1))
  }

  remove = (place: Place): Promise<void> => this.#files.remove(place)
  removeAll = (id: JobId, fence?: Fence): Promise<void> => this.#files.removeAll(id, fence)
  removeBefore = (id: JobId, fence: Fence): Promise<void> => this.#files.removeBefore(id, fence)
  untouched = (ms: number, limit: number): Promise<JobId[]> => this.#files.untouched(ms, limit)
}

const MAX_OFFSET = Number.MAX_SAFE_INTEGER

const fieldOf = ({ fence, file }: Place): string => `file:${fence}:${file}`

/** As seal.ts lays it out: three bytes, the key's id, the wrapped key, its commitment, the sealed bytes. */
const headLength = (begin: Uint8Array): number =>
  3 + (begin[2] ?? 0) + (12 + KEY + TAG) + KEY + (12 + KEY + TAG)

async function* sealed(
  head: Uint8Array,
  key: Uint8Array,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield head
  let parts: Uint8Array[] = []
  let size = 0
  let index = 0
  for await (const part of content) {
    parts.push(part)
    size += part.length
    if (size <= CHUNK) continue
    let rest = Buffer.concat(parts)
    // The last one is told from the others: it is kept until nothing follows.
    for (; rest.length > CHUNK; rest = rest.subarray(CHUNK))
      yield sealChunk(rest.subarray(0, CHUNK), key, index++, false)
    parts = [rest]
    size = rest.length
  }
  yield sealChunk(Buffer.concat(parts), key, index, true)
}

async function* opened(
  stream: AsyncIterable<Uint8Array>,
  key: Uint8Array,
  first: number,
  id: JobId,
): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  let index = first
  const openOne = (isLast: boolean) => {
    const chunk = rest.subarray(0, SEALED_CHUNK)
    rest = rest.subarray(chunk.length)
    try {
      return openChunk(chunk, key, index++, isLast)
    } catch {
      throw new ErrandError('SEAL_BROKEN', { id })
    }
  }
  for await (const part of stream) {
    rest = Buffer.concat([rest, part])
    while (rest.length > SEALED_CHUNK) yield openOne(false)
  }
  // A byte that is left is the first of a chunk that nobody asked for.
  if (rest.length > 1 || index === first) yield openOne(true)
}

/** So many bytes from there on. */
async function* cut(
  chunks: AsyncIterable<Buffer>,
  skip: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  let [before, left] = [skip, length]
  for await (const chunk of chunks) {
    const part = chunk.subarray(before, Math.min(chunk.length, before + left))
    before = Math.max(0, before - chunk.length)
    left -= part.length
    if (part.length > 0) yield part
    if (left <= 0) return
  }
}

function sealChunk(bytes: Uint8Array, key: Uint8Array, index: number, isLast: boolean): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonceOf(index, isLast), { authTagLength: TAG })
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
}

function openChunk(sealed: Buffer, key: Uint8Array, index: number, isLast: boolean): Buffer {
  const decipher = createDecipheriv(CIPHER, key, nonceOf(index, isLast), { authTagLength: TAG })
  decipher.setAuthTag(sealed.subarray(-TAG))
  return Buffer.concat([decipher.update(sealed.subarray(0, -TAG)), decipher.final()])
}

/** The key is the file's own: a number a chunk is enough. */
function nonceOf(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(index, 5, 6)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

async function gather(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}
