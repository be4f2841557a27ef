import type { JobId, Mail } from '../../src/job/job.ts'
import type { Letter, Posted, Store } from '../../src/store/contract.ts'
import { only } from './hand.ts'
import { bytes, textOf } from './jobs.ts'

/** A letter that says its own name. */
export const letter = (to: JobId, name: string, over: Partial<Letter> = {}): Letter => ({
  to,
  name,
  key: 'k',
  value: bytes(name),
  ...over,
})

export const post = async (store: Store, ...given: Parameters<typeof letter>): Promise<Posted> =>
  only(await store.post([letter(...given)]))

export const spelled = (mail: readonly Mail[] = []): string[] =>
  mail.map(({ name, key, value }) => `${name} ${key} ${textOf(value)}`)
