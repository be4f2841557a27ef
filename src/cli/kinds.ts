import { availableParallelism } from 'node:os'
import { parseSpan } from '../base/time.ts'
import { Keyring } from '../job/seal.ts'

/** What a setting's text may be, and what it means; undefined when it means nothing. */
export type Kind<T> = { expects: string; parse(text: string): T | undefined }

export const text: Kind<string> = { expects: 'a text', parse: (given) => given }

export const folder: Kind<string> = {
  expects: 'file:<folder>',
  parse: (given) => (/^file:./.test(given) ? given : undefined),
}

export const count = (min: number, max: number): Kind<number> => ({
  expects: `a whole number from ${min} to ${max}`,
  parse: (given) => (/^\d{1,15}$/.test(given) ? within(Number(given), min, max) : undefined),
})

export const span = (min: number, max: number): Kind<number> => ({
  expects: `a span such as '500ms', '15s' or '2m', from ${min} to ${max} ms`,
  parse: (given) => {
    const ms = parseSpan(given)
    return ms === undefined ? undefined : within(ms, min, max)
  },
})

export const choice = <T extends string>(...choices: readonly T[]): Kind<T> => ({
  expects: `one of ${choices.join(', ')}`,
  parse: (given) => choices.find((one) => one === given),
})

export const yesNo: Kind<boolean> = {
  expects: 'true or false',
  parse: (given) => new Map(YES_NO).get(given.toLowerCase()),
}

export const names: Kind<readonly string[]> = {
  expects: 'queue names with commas between them',
  parse: (given) => {
    const list = given.split(',').map((name) => name.trim())
    return list.every((name) => /^[a-z][a-z0-9._-]{0,99}$/.test(name)) ? list : undefined
  },
}

export const secret: Kind<string> = {
  expects: 'at least 32 characters',
  parse: (given) => (given.length >= 32 ? given : undefined),
}

export const sealKeys: Kind<string> = {
  expects: 'id:key with commas between, each key 32 bytes in base64',
  parse: (given) => (Keyring.read(given) ? given : undefined),
}

/** Executors share a machine with the server: more of them than two is for people to ask. */
export const processesDefault = (): number => Math.min(2, availableParallelism())

const YES_NO: readonly [string, boolean][] = [
  ['true', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['0', false],
  ['no', false],
]

const within = (value: number, min: number, max: number) =>
  value >= min && value <= max ? value : undefined
