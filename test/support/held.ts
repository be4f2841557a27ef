import { defineJob } from '../../src/job/define.ts'
import { anything } from './schema.ts'

/** A job whose handler says when it began and waits for the test to end it. */
export function held<Value = void>(name = 'long') {
  const began = Promise.withResolvers<AbortSignal>()
  const end = Promise.withResolvers<Value>()
  const job = defineJob({
    name,
    input: anything(),
    run: (_, { signal }) => {
      began.resolve(signal)
      return end.promise
    },
  })
  return { job, began: began.promise, end }
}
