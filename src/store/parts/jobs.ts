import type { NewJob } from '../../job/job.ts'

/** A job that is kept to be inserted later, as text. */
export const encodeJob = ({ input, policy, ...rest }: NewJob): string =>
  JSON.stringify({ ...rest, input: base64(input), policy: base64(policy) })

export function decodeJob(text: string): NewJob {
  const { input, policy, ...rest } = JSON.parse(text)
  return { ...rest, input: Buffer.from(input, 'base64'), policy: Buffer.from(policy, 'base64') }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
