import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export type Script = { text: string; sha: string }

/** `finish`: lets work go on when the server is full, because it only ever ends what was accepted. */
const FLAGS = { fresh: '', finish: 'flags=allow-oom', look: 'flags=no-writes' } as const

/** A verb with the parts it stands on, as one text. */
const script = (use: keyof typeof FLAGS, ...parts: readonly string[]): Script =>
  named(`#!lua ${FLAGS[use]}\n${parts.map(read).join('')}`)

const read = (part: string): string =>
  readFileSync(new URL(`./${part}.lua`, import.meta.url), 'utf8').replaceAll(/^\s*--.*\n/gm, '')

const named = (text: string): Script => ({
  text,
  sha: createHash('sha1').update(text).digest('hex'),
})

const ROW = ['call', 'row'] as const
const LINE = [...ROW, 'batch', 'limits', 'short', 'alike', 'held', 'line'] as const
const MAIL = [...LINE, 'mail'] as const
const ARRIVE = [...MAIL, 'arrive', 'over'] as const
const RELATE = [...ARRIVE, 'children'] as const
const SETTLE = [...RELATE, 'settle'] as const
const HAND = [...SETTLE, 'hand'] as const
const RATE = ['call', 'rate'] as const

const SCRIPTS = {
  kind: script('fresh', 'call', 'kind'),
  insert: script('fresh', ...ARRIVE, 'insert'),
  post: script('fresh', ...MAIL, 'post'),
  put: script('fresh', ...ARRIVE, 'put'),
  adopt: script('fresh', ...ARRIVE, 'adopt'),
  retry: script('fresh', ...ARRIVE, 'revive', 'retry'),
  cancel: script('finish', ...RELATE, 'cancel'),
  exchange: script('finish', ...HAND, 'due', 'claim', 'exchange'),
  sweep: script('finish', ...HAND, 'sweep'),
  worker: script('finish', 'call', 'worker'),
  note: script('finish', ...SETTLE, 'revive', 'note'),
  batch: script('fresh', ...ARRIVE, 'batches'),
  batches: script('finish', ...ARRIVE, 'batches'),
  unpark: script('finish', ...LINE, 'unpark'),
  purge: script('finish', ...ARRIVE, 'remove', 'purge'),
  erase: script('finish', ...ARRIVE, 'remove', 'erase'),
  audit: script('finish', 'call', 'audit'),
  files: script('finish', 'call', 'files'),
  take: script('finish', ...RATE, 'take'),
  unused: script('finish', ...RATE, 'unused'),
  workers: script('finish', 'call', 'workers'),
  ahead: script('look', ...LINE, 'ahead'),
  find: script('look', ...ROW, 'limits', 'find'),
  list: script('look', ...HAND, 'list'),
  copy: script('look', ...ARRIVE, 'copy'),
  tally: script('look', ...LINE, 'tally'),
  entries: script('look', 'call', 'entries'),
  rates: script('look', ...RATE, 'rates'),
} as const

export type Verb = keyof typeof SCRIPTS

const guarded = new Map<Verb, Script>()

/** A verb's script. In a cluster it looks first whether its slot stays where it is; others pay nothing for that. */
export function scriptOf(verb: Verb, inCluster: boolean): Script {
  const plain = SCRIPTS[verb]
  if (!inCluster) return plain
  const script = guarded.get(verb) ?? named(plain.text.replace('\n', () => `\n${read('slot')}`))
  guarded.set(verb, script)
  return script
}
