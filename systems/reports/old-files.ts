import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The files of a folder, those written last first; none where there is no folder. */
export async function latestIn(folder: string): Promise<{ name: string; mtimeMs: number }[]> {
  const names = await readdir(folder).catch(() => [])
  const files = names.map(async (name) => {
    // Somebody else may have removed it just now.
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Infinity }))
    return { name, mtimeMs }
  })
  return (await Promise.all(files)).toSorted((a, b) => b.mtimeMs - a.mtimeMs)
}

/** Removes files that were written before this moment. */
export async function sweepFiles(folder: string, beforeMs: number): Promise<void> {
  for (const { name, mtimeMs } of await latestIn(folder))
    if (mtimeMs < beforeMs) await rm(join(folder, name), { force: true })
}
