import { type Bytes, decodeJson } from '../base/json.ts'
import { ErrandError, type Issue } from './errors.ts'
import type { Policy } from './policy.ts'

/**
 * Data that rests by reference: all that a job carries are declared fields that say where its data is. What lies
 * there is read by its handler and kept nowhere.
 */
export type References = readonly string[]

const TEXT_MAX = 200
const LIST_MAX = 1000

/** The fields that a job of this policy may carry; nothing when it may carry all. */
export const referencesOf = ({ data, references = [] }: Policy): References | undefined =>
  data === 'reference' ? references : undefined

/** What of a value is more than declared references, place by place. Its values are not repeated. */
export function findUndeclared(value: unknown, references: References): Issue[] {
  if (value === undefined || value === null) return []
  if (typeof value !== 'object' || Array.isArray(value))
    return [issue('', 'needs an object of declared references')]
  return Object.entries(value).flatMap(([field, member]) => {
    const pointer = `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!references.includes(field)) return [issue(pointer, 'is no declared reference')]
    if (!Array.isArray(member)) return isShort(member) ? [] : [issue(pointer, UNFIT)]
    if (member.length > LIST_MAX) return [issue(pointer, `has more than ${LIST_MAX} members`)]
    return member.flatMap((one, i) => (isShort(one) ? [] : [issue(`${pointer}/${i}`, UNFIT)]))
  })
}

const UNFIT = `is no reference: a text of at most ${TEXT_MAX} characters, a number, a boolean, or a list of those`

const isShort = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.length <= TEXT_MAX
    : value === null || ['number', 'boolean', 'undefined'].includes(typeof value)

const issue = (pointer: string, detail: string): Issue => ({ pointer, code: 'undeclared', detail })

/** @throws ErrandError INVALID_INPUT */
export function refuseUndeclared(bytes: Bytes, policy: Policy, job: string): void {
  const references = referencesOf(policy)
  if (references === undefined) return
  const issues = findUndeclared(decodeJson(bytes), references)
  if (issues.length > 0) throw new ErrandError('INVALID_INPUT', { job }, { issues })
}
