import { ErrandError } from '../job/errors.ts'

export const isErrand = (error: unknown): error is ErrandError => error instanceof ErrandError

export type Fault = { code: string; why?: string }

/** What a log may say of an error: its code, and our own words. Others' may hold user data. */
export function faultOf(error: unknown): Fault {
  if (isErrand(error)) return { code: error.code, why: error.message }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return { code: WORD.test(code) ? code : 'INTERNAL' }
}

const WORD = /^\w{1,64}$/
