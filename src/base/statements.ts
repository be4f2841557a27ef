import { readFileSync } from 'node:fs'

/**
 * The named statements of a `.sql` file: each begins at `-- name: <name>` and runs to the next.
 * A driver would run only the first of several in one text, and silently.
 */
export function statements(file: URL): Record<string, string> {
  const parts = readFileSync(file, 'utf8').split(/^-- name: (\w+)$/m)
  const named: Record<string, string> = {}
  for (let at = 1; at < parts.length; at += 2) named[parts[at] ?? ''] = (parts[at + 1] ?? '').trim()
  return named
}
