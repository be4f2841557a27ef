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
/** The same without the texts that whoever threw it chose. */
export function encodeKind(thrown: unknown): Bytes {
  const { name, message, code, stack = '' } = describe(thrown)
  const [before, ...rest] = stack.split(message)
  // What stands before the message is one word; a stack that does not repeat it is not understood.
  const isPlain = rest.length > 0 && !before?.includes('\n')
  const frames = isPlain ? FRAMES.exec(rest.join(message))?.[0] : undefined
  return encode({
    name: WORD.test(name) ? name : 'Error',
    message: UNKEPT,
    ...(code !== undefined && WORD.test(code) && { code }),
    ...(frames !== undefined && { stack: `${UNKEPT}${frames}` }),
  })
}

const UNKEPT = 'its text is not kept, as its data rests by reference'
const WORD = /^\w{1,64}$/
/** Where it was thrown, as V8 spells it: code and its place. */
const FRAMES = /(?:\n {4}at [^\n]+)+$/

export const encodeThrown = (thrown: unknown): Bytes => encode(describe(thrown))

const encode = (failure: Failure): Bytes => encodeJson(failure) ?? new Uint8Array()

/** Bytes that are no failure are shown as one, rather than hidden. */
export const readFailure = (bytes: Bytes): Failure =>
  readOwn(bytes, { name: 'Unreadable', message: 'the stored error cannot be read' })
