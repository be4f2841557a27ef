import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'errand-scratch-'
/** A folder that its crew has not touched for so long has no crew any more. */
const STALE_MS = 3_600_000
const TOUCH_EVERY_MS = 60_000

/** Where attempts have their directories: a folder a crew, in it one an executor, removed when that has ended. */
export class Scratch implements AsyncDisposable {
  readonly root: string
  readonly #touching: NodeJS.Timeout
  #count = 0

  constructor() {
    removeStale()
    this.root = mkdtempSync(join(tmpdir(), PREFIX))
    // Tells other crews of this machine that this one lives, whatever its store does.
    this.#touching = setInterval(() => this.#touch(), TOUCH_EVERY_MS).unref()
  }

  next(): string {
    const folder = join(this.root, `${++this.#count}`)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#touching)
    await this.remove(this.root)
  }

  #touch(): void {
    const now = new Date()
    attempt(() => utimesSync(this.root, now, now))
  }

  async remove(folder: string): Promise<void> {
    // What a handler locked away stays behind: nobody's job hangs on it.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** What crews left that were killed with their foreman. */
function removeStale(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(tmpdir(), name)
    attempt(() => {
      if (Date.now() - statSync(folder).mtimeMs > STALE_MS) rmSync(folder, { recursive: true })
    })
  }
}

/** The folders lie among temporary files: another may be faster, or they are somebody else's. */
function attempt(act: () => void): void {
  try {
    act()
  } catch {
    // Left to whoever clears temporary files.
  }
}
