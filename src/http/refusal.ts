import type { z } from '@hono/zod-openapi'
import { ErrandError, type Issue } from '../job/errors.ts'

type Validated = { target: string; success: boolean; error?: z.core.$ZodError }
type ZodIssue = z.core.$ZodIssue

const ISSUES_MAX = 50
const TEXT_MAX = 100

/**
 * Refuses a request that does not fit its schema.
 * @throws ErrandError INVALID_QUERY, VALIDATION_FAILED with every issue as a JSON pointer
 */
export function refuseUnfit({ target, error }: Validated): void {
  if (error === undefined) return
  if (target === 'query') throw queryError(error.issues)
  const issues = error.issues.flatMap(toIssues).slice(0, ISSUES_MAX)
  throw new ErrandError('VALIDATION_FAILED', {}, { issues })
}

function queryError([issue]: readonly ZodIssue[]): ErrandError {
  if (issue?.code === 'unrecognized_keys')
    return new ErrandError('INVALID_QUERY', {
      parameter: clip(issue.keys[0] ?? ''),
      problem: 'is not known',
    })
  const parameter = String(issue?.path[0] ?? '')
  return new ErrandError('INVALID_QUERY', { parameter, problem: `is not valid: ${issue?.message}` })
}

/** One unknown member is one issue, at its own place. */
function toIssues(issue: ZodIssue): Issue[] {
  if (issue.code !== 'unrecognized_keys')
    return [{ pointer: pointerTo(issue.path), code: codeOf(issue), detail: clip(issue.message) }]
  return issue.keys.map((key) => ({
    pointer: pointerTo([...issue.path, key]),
    code: 'unknown_field',
    detail: 'is not known here',
  }))
}

const codeOf = ({ code }: ZodIssue) => (code === 'custom' ? 'invalid' : code)

const pointerTo = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${clip(String(part)).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

const clip = (text: string) => text.slice(0, TEXT_MAX)
