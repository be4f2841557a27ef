import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ErrandError } from '../job/errors.ts'
import type { App } from '../http/app.ts'
import { SEAL_KEY_FILE, type Settings } from './rows.ts'

const KEY_BYTES = 32

/**
 * The key that signs links: the one in the settings, else one made once and kept in the data
 * folder, for every process of this machine.
 * @throws ErrandError INVALID_SETTING
 */
export async function linkKey(settings: Pick<Settings, 'linkKey' | 'data'>): Promise<Uint8Array> {
  if (settings.linkKey !== undefined) return Buffer.from(settings.linkKey)
  const { data } = settings
  const file = join(data, 'link.key')
  const fresh = () => randomBytes(KEY_BYTES).toString('base64url')
  const key = (await read(file)) ?? (await make(data, file, fresh))
  if (key.length >= KEY_BYTES) return key
  throw new ErrandError('INVALID_SETTING', {
    setting: file,
    problem: 'is cut short; remove it and another is made',
  })
}

/** What is refused where no key is given; nothing where all is well. */
export const lackOfKeys = (
  { sealKeys }: Pick<Settings, 'sealKeys'>,
  { jobs }: Pick<App, 'jobs'>,
): string | undefined =>
  sealKeys === undefined && jobs.some(({ policy }) => policy.data === 'sealed')
    ? 'jobs that rest sealed are refused until ERRAND_SEAL_KEYS is set'
    : undefined

/**
 * Makes a key for sealed data where none is given and jobs lie in a file of this machine: kept beside them, it is
 * there for all processes, and for whoever takes both.
 */
export async function makeSealKey({
  data,
  store,
  sealKeys,
}: Pick<Settings, 'data' | 'store' | 'sealKeys'>): Promise<void> {
  if (sealKeys !== undefined || !store.startsWith('sqlite:')) return
  const fresh = () => `local:${randomBytes(KEY_BYTES).toString('base64')}`
  await make(data, join(data, SEAL_KEY_FILE), fresh)
}

async function make(data: string, file: string, fresh: () => string): Promise<Uint8Array> {
  await mkdir(data, { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`
  await using handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(fresh())
    await handle.sync()
    // Unlike a rename, a link never replaces: the first process makes everybody's key.
    await link(draft, file).catch(unlessThere)
  } finally {
    await rm(draft, { force: true })
  }
  return readFile(file)
}

const read = (file: string): Promise<Uint8Array | undefined> =>
  readFile(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new ErrandError(
      'INVALID_SETTING',
      { setting: file, problem: 'cannot be read' },
      { cause: error },
    )
  })

function unlessThere(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error
}

const codeOf = (error: unknown) => error instanceof Error && 'code' in error && error.code
