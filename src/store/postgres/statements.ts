import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { statements } from '../../base/statements.ts'

const VERBS = [
  'counting',
  'limit',
  'fair',
  'insert',
  'mail',
  'child',
  'batch',
  'settle',
  'claim',
  'exchange',
  'sweep',
  'change',
  'worker',
  'take',
  'purge',
  'enlist',
  'put',
  'adopt',
]
const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8')
const texts = VERBS.map((verb) => read(`./${verb}.sql`))
const looks = {
  ...statements(new URL('./look.sql', import.meta.url)),
  ...statements(new URL('./copy.sql', import.meta.url)),
  ...statements(new URL('./audit.sql', import.meta.url)),
}
const laws = statements(new URL('./verify.sql', import.meta.url))

/** Functions carry this release's mark, so that old and new workers share a database, each with its own. */
export const MARK = createHash('sha256').update(texts.join()).digest('hex').slice(0, 8)

/** Puts our schema in the place of `errand.`, and the marked functions in the place of the plain ones. */
export function inSchema(schema: string, text: string): string {
  const quoted = `"${schema}"`
  return text
    .replaceAll(/\berrand\.(\w+)\(/g, (_, name: string) => `${quoted}.${name}_${MARK}(`)
    .replaceAll(/\berrand\./g, `${quoted}.`)
    .replaceAll(/'errand_(\w+)'/g, (_, topic: string) => `'${channel(schema, topic)}'`)
}

export const channel = (schema: string, topic: string): string => `${schema}_${topic}`

/** What installs this release's functions. A body may call what is made after it. */
export const functions = (schema: string): string =>
  inSchema(schema, texts.join('\n')).replaceAll('create function', 'create or replace function')

export const lookText = (schema: string, name: string): string =>
  inSchema(schema, looks[name] ?? '')
export const lawTexts = (schema: string): string[] =>
  Object.values(laws).map((text) => inSchema(schema, text))
