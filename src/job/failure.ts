import { type Bytes, encodeJson, readOwn } from '../base/json.ts'

/** An error as data. The stack is for operators; no door shows it to callers. */
export type Failure = { name: string; message: string; code?: string; stack?: string }

const TEXT_MAX = 8192

/** A name or message is a text by its type only: anything may have been put there. */
function clip(given: unknown): string {
  const text = String(given)
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
}

/** What is kept of anything thrown: name, message, code and stack, each of bounded length. */
export function describe(thrown: unknown): Failure {
  try {
    return thrown instanceof Error
      ? describeError(thrown)
      : { name: 'Thrown', message: clip(thrown) }
  } catch {
    // Even what cannot be read, or made a text, can be thrown.
    return { name: 'Thrown', message: 'something that cannot be described' }
  }
}

function describeError(error: Error): Failure {
  const { name, message, stack } = error
  const code =
    'code' in error && ['string', 'number'].includes(typeof error.code)
      ? String(error.code)
      : undefined
  return {
    name: clip(name),
    message: clip(message),
    ...(code !== undefined && { code: clip(code) }),
    ...(typeof stack === 'string' && { stack: clip(stack) }),
  }
}

export const encodeFailure = (name: string, message: string): Bytes => encode({ name, message })
export const encodeThrown = (thrown: unknown): Bytes => encode(describe(thrown))

const encode = (failure: Failure): Bytes => encodeJson(failure) ?? new Uint8Array()

/** Bytes that are no failure are shown as one, rather than hidden. */
export const readFailure = (bytes: Bytes): Failure =>
  readOwn(bytes, { name: 'Unreadable', message: 'the stored error cannot be read' })
