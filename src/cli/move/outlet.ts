import { once } from 'node:events'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { ErrandError } from '../../job/errors.ts'

/** Where an export goes: standard output, or a file that bears its name only once it is whole. */
export class Outlet implements AsyncDisposable {
  readonly #name: string
  readonly #file: FileHandle | undefined

  private constructor(name: string, file?: FileHandle) {
    this.#name = name
    this.#file = file
  }

  /** `-` is standard output. @throws ErrandError INVALID_OPTION */
  static async open(name: string): Promise<Outlet> {
    if (name === '-') return new Outlet(name)
    try {
      const file = await open(unfinished(name), 'w', 0o600)
      // One that was left there may have been readable to others.
      await file.chmod(0o600)
      return new Outlet(name, file)
    } catch (cause) {
      throw fileFault(cause, 'be written')
    }
  }

  async write(text: string): Promise<void> {
    if (this.#file === undefined) {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain')
      return
    }
    try {
      await this.#file.write(text)
    } catch (cause) {
      throw fileFault(cause, 'be written')
    }
  }

  /** All is written. */
  async finish(): Promise<void> {
    if (this.#file === undefined) return
    try {
      await this.#file.sync()
      await rename(unfinished(this.#name), this.#name)
    } catch (cause) {
      throw fileFault(cause, 'be written')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close()
  }
}

const unfinished = (name: string) => `${name}.incomplete`

/** What the file system said of a file that a person named. */
export function fileFault(cause: unknown, what: string): ErrandError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given'
  if (code === 'ENOSPC') return new ErrandError('FILES_FULL', {}, { cause })
  return new ErrandError(
    'INVALID_OPTION',
    { option: 'file', problem: `cannot ${what} (${code})` },
    { cause },
  )
}
