import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { latestIn, sweepFiles } from './old-files.ts'

/** Who joined a report that somebody else had made: one empty file each, by a mark of the person and the id. */
const FOLDER = 'asked'
const MOST = 50

export async function noteAsked(service: string, owner: string, id: string): Promise<void> {
  const folder = join(service, FOLDER, owner)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(join(folder, id), '', { mode: 0o600 })
}

/** The latest first. */
export async function askedBy(service: string, owner: string): Promise<string[]> {
  const files = await latestIn(join(service, FOLDER, owner))
  return files.slice(0, MOST).map(({ name }) => name)
}

export async function sweepAsked(service: string, beforeMs: number): Promise<void> {
  const folder = join(service, FOLDER)
  for (const owner of await readdir(folder).catch(() => [])) {
    await sweepFiles(join(folder, owner), beforeMs)
    // One that is not empty stays.
    await rmdir(join(folder, owner)).catch(() => undefined)
  }
}
