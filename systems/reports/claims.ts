import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sweepFiles } from './old-files.ts'

/** When something was asked for first under its key, and a mark of all that was said then. It holds no recipient. */
const Claim = z.object({ atMs: z.int(), print: z.string() })
export type Claim = z.infer<typeof Claim>

const FOLDER = 'claims'

/** Of those that come under the same id, however many at once, one lays its claim down; all are told that one. */
export async function claim(service: string, id: string, own: Claim): Promise<Claim> {
  const folder = join(service, FOLDER)
  const [place, draft] = [join(folder, id), join(folder, `.${randomUUID()}`)]
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFile(draft, JSON.stringify(own), { mode: 0o600 })
  try {
    // Whole or not at all, and never in the place of another.
    await link(draft, place).catch(unlessThere)
  } finally {
    await rm(draft, { force: true })
  }
  return Claim.parse(JSON.parse(await readFile(place, 'utf8')))
}

export const sweepClaims = (service: string, beforeMs: number): Promise<void> =>
  sweepFiles(join(service, FOLDER), beforeMs)

function unlessThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
}
