import { seeded as fractions } from '../../bench/lib/random.ts'

/** The same numbers for the same seed, each from 0 to one below the limit. */
export function seeded(seed: number): (below: number) => number {
  const next = fractions(seed)
  return (below) => Math.floor(next() * below)
}
