import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { constants, createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { failpoint } from '../../base/failpoint.ts'
import { ErrandError } from '../../job/errors.ts'
import type { Fence, JobId } from '../../job/job.ts'
import type { Files, Place, Range, Written } from '../contract.ts'

const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
/** No slashes, no control characters, nothing that turns the direction of text. */
// oxlint-disable-next-line no-control-regex -- control characters are what is refused
const NAME = /^[^/\\\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]+$/
const FILE_RIGHTS = 0o600
const FOLDER_RIGHTS = 0o700

/** Files in folders of this machine: `<root>/<two letters>/<job>/<fence>/<name>`. */
export class DiskFiles implements Files {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async write(
    place: Place,
    content: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<Written> {
    const path = this.#path(place)
    const draft = join(dirname(path), `.${randomUUID()}`)
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_RIGHTS }).catch(refuse)
    const handle = await open(draft, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, FILE_RIGHTS).catch(
      refuse,
    )
    try {
      const written = await pour(content, handle, place.file, bytesMax)
      // On disk before the row that names it: a row without its file would be a broken promise.
      await handle.sync()
      await handle.close()
      failpoint('artifact.before_rename')
      await rename(draft, path)
      return written
    } catch (error) {
      await handle.close().catch(() => undefined)
      await rm(draft, { force: true })
      return refuse(error)
    }
  }

  async read(place: Place, range?: Range): Promise<ReadableStream<Uint8Array>> {
    const path = this.#path(place)
    const stream = createReadStream(path, range && { start: range.from, end: range.to })
    await once(stream, 'open').catch(refuse)
    return Readable.toWeb(stream)
  }

  async remove(place: Place): Promise<void> {
    const path = this.#path(place)
    await rm(path, { force: true })
    // The folders go once they are empty.
    for (const folder of [dirname(path), dirname(dirname(path))])
      await rmdir(folder).catch(() => undefined)
  }

  async removeAll(id: JobId, fence?: Fence): Promise<void> {
    await rm(join(this.#folder(id), fence === undefined ? '' : String(fence)), {
      recursive: true,
      force: true,
    })
  }

  async removeBefore(id: JobId, fence: Fence): Promise<void> {
    const attempts = await readdir(this.#folder(id)).catch(() => [])
    for (const before of attempts.filter((name) => Number(name) < fence))
      await this.removeAll(id, Number(before))
  }

  async untouched(ms: number, limit: number): Promise<JobId[]> {
    const ids: JobId[] = []
    for (const shelf of await readdir(this.#root).catch(() => []))
      for (const id of await readdir(join(this.#root, shelf)).catch(() => [])) {
        if (ids.length >= limit) return ids
        const { mtimeMs } = await stat(join(this.#root, shelf, id)).catch(() => ({
          mtimeMs: Infinity,
        }))
        if (Date.now() - mtimeMs >= ms) ids.push(id)
      }
    return ids
  }

  #path({ id, fence, file }: Place): string {
    return join(this.#folder(id), String(fence), checkName(file))
  }

  /** Shelved by the last two letters: the first ones of a UUIDv7 are the time, and hardly differ. */
  #folder(id: JobId): string {
    return join(this.#root, id.slice(-2), id)
  }
}

/** A name that cannot leave its folder. @throws ErrandError INVALID_FILE_NAME */
export function checkName(file: string): string {
  const bytes = Buffer.byteLength(file)
  if (!NAME.test(file) || file.startsWith('.') || bytes > 255)
    throw new ErrandError('INVALID_FILE_NAME', {})
  return file.normalize('NFC')
}

async function pour(
  content: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  file: string,
  bytesMax: number,
): Promise<Written> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new ErrandError('ARTIFACT_TOO_LARGE', { file, max: bytesMax })
    hash.update(chunk)
    await handle.appendFile(chunk)
  }
  return { bytes, sha256: hash.digest('hex') }
}

function refuse(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT')
    throw new ErrandError('FILES_FULL', {}, { cause: error })
  if (code === 'ENOENT' || code === 'ELOOP')
    throw new ErrandError('ARTIFACT_NOT_FOUND', {}, { cause: error })
  throw error
}
