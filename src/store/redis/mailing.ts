import type { Mail } from '../../job/job.ts'
import type { Suspension } from '../../job/outcome.ts'
import { ENDED, STATES } from '../../job/state.ts'
import type { Letter, Posted } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { Packer } from './pack.ts'

const URGENT = 1
const IF_WAITING = 2

/** Writes letters as post.lua takes them. */
export function packLetters(letters: readonly Letter[]): Buffer {
  const packer = new Packer()
  for (const { to, name, key, value, urgent, ifWaiting } of letters) {
    packer.id(to).byte((urgent ? URGENT : 0) + (ifWaiting ? IF_WAITING : 0))
    packer.text(name).text(key).long(value.length).bytes(value)
  }
  return packer.done()
}

/** What an end says to the job that called it, as children.lua takes it. */
export const packWord = ({ ifWaiting: _, ...word }: Letter): Buffer => packLetters([word])

/** Writes what a job waits for as mail.lua takes it. */
export function packWait({ for: what, wakeAt = 0, one, all }: Suspension): Buffer {
  const packer = new Packer().six(wakeAt).text(what)
  const names = new Map<string, 0 | 1 | 2>()
  for (const name of all) names.set(name, 1)
  for (const name of one) names.set(name, all.includes(name) ? 2 : 0)
  for (const [name, forAll] of names) packer.byte(forAll).text(name)
  return packer.done()
}

/** What mail.lua keeps of each letter. */
export const toMail = (box: ReadonlyMap<string, Buffer>): Mail[] =>
  [...box]
    .filter(([field]) => field !== '#')
    .map(([field, packed]) => ({ field, packed, n: packed.readUInt32BE(6) }))
    .toSorted((a, b) => a.n - b.n)
    .map(({ field, packed }) => {
      const [name = '', key = ''] = field.slice(1).split('\0')
      const mail = { name, key, at: packed.readUIntBE(0, 6), value: packed.subarray(10) }
      return field.startsWith('!') ? { ...mail, urgent: true } : mail
    })

/** The field and the value of a letter, as mail.lua keeps them. */
export function packLetter(
  packer: Packer,
  { name, key, at, urgent, value }: Mail,
  n: number,
): void {
  packer.text(`${urgent ? '!' : '.'}${name}\0${key}`)
  const hole = packer.hole()
  const from = packer.length
  packer.six(at).long(n).bytes(value)
  packer.fill(hole, from)
}

/** Names that a job waits for, as a hash says them. */
export function toAwaits(
  names: ReadonlyMap<string, Buffer>,
): Pick<Suspension, 'one' | 'all'> | undefined {
  if (names.size === 0) return undefined
  const of = (kind: string) =>
    [...names].flatMap(([name, said]) => (String(said) === kind ? [name] : []))
  return { one: of('0'), all: of('1') }
}

const POSTED: Record<number, Posted> = {
  112: 'posted',
  97: 'already',
  105: 'idle',
  102: 'full',
  103: 'gone',
}

/** A letter each, or the number of a state. */
export const toPosted = (code: number): Posted =>
  POSTED[code] ?? ENDED.find((state) => STATES[code] === state) ?? damaged()
