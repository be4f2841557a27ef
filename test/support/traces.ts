import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files below these folders that hold this text. */
export const tracesOf = (text: string, ...folders: (string | undefined)[]): string[] =>
  folders
    .flatMap((folder) =>
      folder === undefined ? [] : readdirSync(folder, { recursive: true, withFileTypes: true }),
    )
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text))
