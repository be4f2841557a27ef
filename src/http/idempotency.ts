import { ErrandError } from '../job/errors.ts'

const KEY = /^(?:"([\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255}))$/

/**
 * The value of an Idempotency-Key header, bare or quoted.
 * @throws ErrandError INVALID_IDEMPOTENCY_KEY
 */
export function readKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [, quoted, bare] = KEY.exec(header) ?? []
  const key = quoted ?? bare
  if (key === undefined) throw new ErrandError('INVALID_IDEMPOTENCY_KEY', {})
  return key
}
