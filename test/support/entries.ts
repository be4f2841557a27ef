import { newId } from '../../src/base/id.ts'
import type { Change, Put, Store } from '../../src/store/contract.ts'
import { only } from './hand.ts'
import { bytes, textOf } from './jobs.ts'

/** A change that puts an entry that is not there. */
export const change = (over: Partial<Change> = {}): Change => ({
  kind: 'note',
  name: 'a',
  stamp: newId(),
  value: bytes('value'),
  ...over,
})

/** One that finds it as another left it. */
export const after = ({ kind, name, stamp: expect }: Change, over: Partial<Change> = {}): Change =>
  change({ kind, name, expect, ...over })

/** One that removes it. */
export function removal(of: Change): Change {
  const { value: _, ...rest } = after(of)
  return rest
}

export const put = async (store: Store, one: Change): Promise<Put> => only(await store.put([one]))

export const CHANGED: Put = { refused: 'changed' }
export const DONE: Put = { jobs: [] }

/** What is kept, in a few words. */
export async function told(
  store: Store,
  which?: Parameters<Store['entries']>[1],
  kind = 'note',
): Promise<string[]> {
  const { entries } = await store.entries(kind, which)
  return entries.map(({ name, value }) => `${name} ${textOf(value)}`)
}
