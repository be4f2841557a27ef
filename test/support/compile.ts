import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const TEMPORARY = join(ROOT, '.tmp')
const COMPLAINT = /^(?<file>[^(\s][^(]*)\((?<line>\d+),\d+\): error (?<text>.*)$/gm

export type Complaint = { file: string; line: number; text: string }

/** What the type checker says of these files, under the repository's own settings. */
export function compile(files: Readonly<Record<string, string>>): Complaint[] {
  mkdirSync(TEMPORARY, { recursive: true })
  const folder = mkdtempSync(join(TEMPORARY, 'compile-'))
  try {
    const settings = { extends: '../../tsconfig.json', include: ['**/*.ts'] }
    write(folder, { ...files, 'tsconfig.json': JSON.stringify(settings) })
    const { stdout } = spawnSync(process.execPath, [TSC, '-p', '.', '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    })
    return [...stdout.matchAll(COMPLAINT)].map(({ groups }) => toComplaint(groups ?? {}))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

const toComplaint = ({ file = '', line = '0', text = '' }: Partial<Record<string, string>>) => ({
  file,
  line: Number(line),
  text,
})
