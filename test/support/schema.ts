import type { Schema } from '../../src/job/schema.ts'

/** A schema that lets everything pass. */
export const anything = <Value = unknown>(): Schema<Value> =>
  guarded((_: unknown): _ is Value => true)

/** A schema that takes what the guard takes and complains about one place otherwise. */
export const guarded = <Value>(
  guard: (value: unknown) => value is Value,
  path: readonly PropertyKey[] = [],
): Schema<Value> => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      guard(value) ? { value } : { issues: [{ message: 'does not fit', path }] },
  },
})
