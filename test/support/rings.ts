import type { Store, Topic } from '../../src/store/contract.ts'

/** Settles when the topic rings; the clause's own time limit is the only other end. */
export async function rings<Answer>(
  store: Store,
  topic: Topic,
  change: () => Promise<Answer>,
): Promise<Answer> {
  const bell = Promise.withResolvers<void>()
  const ear = store.listen(topic, bell.resolve)
  try {
    const answer = await change()
    await bell.promise
    return answer
  } finally {
    ear[Symbol.dispose]()
  }
}
