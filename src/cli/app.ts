import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type App, defineApp } from '../http/app.ts'
import { ErrandError } from '../job/errors.ts'
import { digest } from './settings.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** Shown to who has no app file yet. */
export const FIRST_APP = `write errand.app.ts:
  import { defineApp, defineJob } from 'errand'
  import { z } from 'zod'
  const input = z.object({ name: z.string() })
  const greet = defineJob({ name: 'greet', input, run: ({ name }) => \`Hello \${name}\` })
  export default defineApp({ jobs: [greet] })`

/**
 * The path of the app file: the one named, else `./errand.app.ts`, else this repository's own.
 * @throws ErrandError APP_NOT_FOUND
 */
export function findApp(named: string | undefined, here = process.cwd()): string {
  const inside = !relative(ROOT, here).startsWith('..')
  const usual = [
    resolve(here, 'errand.app.ts'),
    ...(inside ? [resolve(ROOT, 'systems/app.ts')] : []),
  ]
  const files = named === undefined ? usual : [resolve(here, named)]
  const file = files.find((candidate) => existsSync(candidate))
  if (file !== undefined) return file
  throw new ErrandError('APP_NOT_FOUND', { file: files[0] ?? '' })
}

/** Stands for the settings of an app where they are compared; nothing where it names none. */
export const digestOfApp = ({ settings }: App): { appSettings?: string } =>
  settings === undefined ? {} : { appSettings: digest(settings) }

/** @throws ErrandError INVALID_APP */
export async function loadApp(file: string): Promise<App> {
  const module = await importApp(file)
  if (!('default' in module) || !isApp(module.default))
    throw new ErrandError('INVALID_APP', {
      file,
      problem: 'needs: export default defineApp({ jobs: [...] })',
    })
  try {
    return defineApp(module.default)
  } catch (cause) {
    throw new ErrandError(
      'INVALID_APP',
      { file, problem: `is not right: ${textOf(cause)}` },
      { cause },
    )
  }
}

async function importApp(file: string): Promise<object> {
  try {
    const module: object = await import(pathToFileURL(file).href)
    return module
  } catch (cause) {
    throw new ErrandError(
      'INVALID_APP',
      { file, problem: `cannot be loaded: ${textOf(cause)}` },
      { cause },
    )
  }
}

const isApp = (value: unknown): value is App =>
  typeof value === 'object' && value !== null && 'jobs' in value && Array.isArray(value.jobs)

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
