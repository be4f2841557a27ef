import { defineJob, type Definition, type WholeJob } from './define.ts'
import type { JobOptions } from './terms.ts'
import type { Given, Parsed, Schema } from './schema.ts'

/** A job whose result another takes as it is. */
type Link<In extends Schema, Out extends Schema> = Definition<In, Out>
/** What takes what `Before` comes to. */
type Next<Before extends Schema> = Schema<Parsed<Before>, unknown>

type ChainSpec<In extends Schema> = JobOptions<Given<In>> & { name: string }

/**
 * A job that runs others one after the other, each on what the one before came to, and comes to what the last did.
 * It holds no place while they run; each has its own policy. `chain({ name: 'order' }, check, bill, ship)`
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION
 */
export function chain<In extends Schema, A extends Schema, Out extends Schema>(
  spec: ChainSpec<In>,
  first: Link<In, A>,
  second: Link<Next<A>, Out>,
): WholeJob<In, Out>
export function chain<In extends Schema, A extends Schema, B extends Schema, Out extends Schema>(
  spec: ChainSpec<In>,
  first: Link<In, A>,
  second: Link<Next<A>, B>,
  third: Link<Next<B>, Out>,
): WholeJob<In, Out>
export function chain<
  In extends Schema,
  A extends Schema,
  B extends Schema,
  C extends Schema,
  Out extends Schema,
>(
  spec: ChainSpec<In>,
  first: Link<In, A>,
  second: Link<Next<A>, B>,
  third: Link<Next<B>, C>,
  fourth: Link<Next<C>, Out>,
): WholeJob<In, Out>
export function chain(spec: ChainSpec<Schema>, ...links: readonly Definition[]): WholeJob {
  return defineJob({
    ...spec,
    input: asGiven(links[0]?.input ?? NOTHING),
    async run(input, { call }) {
      let value = input
      // Each waits for the one before: that is what a chain is.
      // oxlint-disable-next-line no-await-in-loop
      for (const [i, link] of links.entries())
        value = await call(`${i + 1}.${link.name}`, link, value)
      return value
    },
  })
}

const NOTHING: Schema = {
  '~standard': { version: 1, vendor: 'errand', validate: (value) => ({ value }) },
}

/** What a schema accepts, as it was: the first link parses it for itself. */
const asGiven = (schema: Schema): Schema => ({
  '~standard': {
    ...schema['~standard'],
    validate: async (value) => {
      const validated = await schema['~standard'].validate(value)
      return validated.issues === undefined ? { value } : validated
    },
  },
})
