import { parseArgs } from 'node:util'
import { MEASURES, type MeasureName } from './names.ts'
import { SYSTEMS, type System } from './systems.ts'

const { values } = parseArgs({
  options: {
    systems: { type: 'string' },
    measures: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

const named = <T>(
  flag: string,
  said: string | undefined,
  all: readonly T[],
  of: (one: T) => string,
) =>
  said?.split(',').map((name) => {
    const one = all.find((candidate) => of(candidate) === name)
    if (one === undefined) throw new Error(`--${flag} knows ${all.map(of).join(', ')}, not ${name}`)
    return one
  }) ?? all

const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds needs a whole number')

/** What the command line said. */
export const settings: {
  systems: readonly System[]
  measures: readonly MeasureName[]
  rounds: number
  quick: boolean
  json: boolean
} = {
  systems: named('systems', values.systems, SYSTEMS, ({ id }) => id),
  measures: named('measures', values.measures, MEASURES, (name) => name),
  rounds,
  /** A tenth of everything, to see that it works. Its figures are not to be quoted. */
  quick: values.quick,
  json: values.json,
}

/** How many jobs, or seconds, to measure with. */
export const scaled = (count: number): number => (settings.quick ? count / 10 : count)
