import type { Context } from './context.ts'
import type { Unique } from './job.ts'
import { type JobLimits, readJobLimits } from './limits.ts'
import { readCount, readName, refuseUnknown } from './options.ts'
import { encodePolicy, type Policy } from './policy.ts'
import type { Given, Parsed, Schema } from './schema.ts'
import { type JobOptions, OPTIONS, readJobPolicy, readJobUnique, readPriority } from './terms.ts'

type Spec<In extends Schema, Out extends Schema> = JobOptions<Given<In>> & {
  name: string
  input: In
  output?: Out
}

/** No definition may take more: an input is held whole by whoever sends, stores and runs it. */
const INPUT_BYTES_LIMIT = 8_388_608

/** What callers import of a job: its name, schemas and policy. No handler. */
export type Definition<In extends Schema = Schema, Out extends Schema = Schema> = {
  readonly name: string
  readonly input: In
  readonly output?: Out
  readonly queue: string
  readonly priority: number
  readonly policy: Policy
  /** The policy as it travels with each job. */
  readonly policyBytes: Uint8Array
  readonly fair?: boolean
  readonly limits?: JobLimits<Given<In>>
  /** Where it is not the usual. */
  readonly inputMax?: number
  readonly unique?: {
    by(input: Given<In>): string
    until: Unique['until']
    onConflict: Unique['onConflict']
  }
}

/** The function that does a definition's work; only executors import it. */
export type Handler<In extends Schema = Schema, Out extends Schema = Schema> = {
  readonly definition: Definition<In, Out>
  run(input: Parsed<In>, context: Context): Promise<Given<Out>> | Given<Out>
  /** Whether an error is worth another attempt; every error is unless said. */
  retryIf?(error: unknown): boolean
}

/** A job written in one piece is its own handler. */
export type WholeJob<In extends Schema = Schema, Out extends Schema = Schema> = Definition<
  In,
  Out
> & { readonly handler: Handler<In, Out> }

type Work<In extends Schema, Out extends Schema> = Omit<Handler<In, Out>, 'definition'>

/**
 * Says what a job is: its name, what goes in, what comes out, and how failures are met.
 * With `run` it is a whole job; without, its work is added by `handler`.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION
 */
export function defineJob<In extends Schema, Out extends Schema>(
  spec: Spec<In, Out> & Work<In, Out>,
): WholeJob<In, Out>
export function defineJob<In extends Schema, Out extends Schema>(
  spec: Spec<In, Out>,
): Definition<In, Out>
export function defineJob<In extends Schema, Out extends Schema>(
  spec: Spec<In, Out> & Partial<Work<In, Out>>,
): Definition<In, Out> | WholeJob<In, Out> {
  refuseUnknown(spec, ['name', 'input', 'output', 'run', 'retryIf', ...OPTIONS])
  const { by, until, onConflict } = readJobUnique(spec.unique)
  const policy = readJobPolicy(spec)
  const definition: Definition<In, Out> = {
    name: readName('name', spec.name),
    input: spec.input,
    ...(spec.output && { output: spec.output }),
    queue: readName('queue', spec.queue ?? 'default'),
    priority: readPriority(spec.priority ?? 'normal'),
    policy,
    policyBytes: encodePolicy(policy),
    ...(spec.fair && { fair: true }),
    ...(spec.limits?.length && { limits: readJobLimits(spec.limits) }),
    ...(spec.inputMax !== undefined && {
      inputMax: readCount('inputMax', spec.inputMax, { min: 1, max: INPUT_BYTES_LIMIT }),
    }),
    ...(by && { unique: { by, until, onConflict } }),
  }
  const { run, retryIf } = spec
  return run
    ? { ...definition, handler: { definition, run, ...(retryIf && { retryIf }) } }
    : definition
}

/**
 * Adds the work to a definition.
 * @throws ErrandError UNKNOWN_OPTION
 */
export function handler<In extends Schema, Out extends Schema>(
  definition: Definition<In, Out>,
  work: Work<In, Out>,
): Handler<In, Out> {
  refuseUnknown(work, ['run', 'retryIf'])
  return { definition, ...work }
}
