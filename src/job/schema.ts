import { ErrandError, type Issue } from './errors.ts'
import { valueAt, withoutValues } from './redact.ts'

/**
 * A validator of any library that speaks Standard Schema (zod, valibot, arktype, …).
 * @see https://standardschema.dev
 */
export interface Schema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Validated<Output> | Promise<Validated<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
    }
  }
}

type Validated<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

type SchemaIssue = {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema accepts. */
export type Given<S extends Schema> = NonNullable<S['~standard']['types']>['input']
/** What a schema makes of it. */
export type Parsed<S extends Schema> = NonNullable<S['~standard']['types']>['output']

const ISSUES_MAX = 50

/** The parsed value, at once where the schema allows; or INVALID_INPUT with every issue as a JSON pointer. */
export function validate<Output>(
  schema: Schema<unknown, Output>,
  value: unknown,
  job: string,
): Output | Promise<Output> {
  const validated = schema['~standard'].validate(value)
  return validated instanceof Promise
    ? validated.then((late) => accept(late, value, job))
    : accept(validated, value, job)
}

function accept<Output>(validated: Validated<Output>, value: unknown, job: string): Output {
  if (validated.issues === undefined) return validated.value
  const issues = validated.issues.slice(0, ISSUES_MAX).map((issue) => toIssue(issue, value))
  throw new ErrandError('INVALID_INPUT', { job }, { issues })
}

function toIssue({ message, path = [] }: SchemaIssue, value: unknown): Issue {
  const keys = path.map((part) => (typeof part === 'object' ? part.key : part))
  const pointer = keys
    .map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
  return { pointer, code: 'invalid', detail: withoutValues(message, valueAt(value, keys)) }
}

/** The schema as JSON Schema where its library offers one. */
export const toJsonSchema = (schema: Schema): Record<string, unknown> | undefined =>
  schema['~standard'].jsonSchema?.input({ target: 'draft-2020-12' })
