import { mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Who joined a report that somebody else had made: one empty file each, by a mark of the person and the id. */
const FOLDER = 'asked'
const MOST = 50

export async function noteAsked(service: string, owner: string, id: string): Promise<void> {
  const folder = join(service, FOLDER, owner)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(join(folder, id), '', { mode: 0o600 })
}

export async function askedBy(service: string, owner: string): Promise<string[]> {
  const names = await readdir(join(service, FOLDER, owner)).catch(() => [])
  return names.slice(0, MOST)
}

export async function sweepAsked(service: string, beforeMs: number): Promise<void> {
  const folder = join(service, FOLDER)
  for (const owner of await readdir(folder).catch(() => [])) {
    for (const id of await readdir(join(folder, owner))) {
      const place = join(folder, owner, id)
      const { mtimeMs } = await stat(place).catch(() => ({ mtimeMs: Infinity }))
      if (mtimeMs < beforeMs) await rm(place, { force: true })
    }
    // One that is not empty stays.
    await rmdir(join(folder, owner)).catch(() => undefined)
  }
}
