import { ErrandError } from '../../job/errors.ts'

/** The first word of a refusal by the server. Scripts of ours refuse with words of the same kind. */
export const wordOf = (error: unknown): string =>
  error instanceof Error && error.name === 'ReplyError'
    ? (/^\w+/.exec(error.message)?.[0] ?? '')
    : ''

/** Whether the line went down: nobody knows whether the call arrived. */
export const isLost = (error: unknown): boolean =>
  error instanceof Error && error.name !== 'ReplyError' && !(error instanceof ErrandError)

/** Whether the client refused to send it: the line had just gone down. */
export const isUnsent = (error: unknown): boolean =>
  isLost(error) && error instanceof Error && /isn't writeable/.test(error.message)

const ELSEWHERE: readonly string[] = ['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN', 'ERRAND_MOVING']

/** Whether a server of a cluster refused a call because the store is another's now, or is on its way there. */
export const isElsewhere = (error: unknown): boolean => ELSEWHERE.includes(wordOf(error))

const MOVING = 'the cluster is moving the store to another server'

const WHY: Record<string, string> = {
  READONLY: 'the server is a replica and cannot be written',
  LOADING: 'the server is loading its data',
  MASTERDOWN: 'the server has lost its primary',
  CLUSTERDOWN: 'the cluster is down',
  MOVED: 'another server of the cluster holds this store',
  ASK: MOVING,
  TRYAGAIN: MOVING,
  ERRAND_MOVING: MOVING,
  NOREPLICAS: 'the server has too few replicas to be written',
  NOAUTH: 'the server asks for a password',
  WRONGPASS: 'the server knows another password',
  NOPERM: 'this user may not do that here',
}

/** What the server or the line to it said, in our words. The cause is kept, user data is not. */
export function toErrand(error: unknown, location: string): unknown {
  if (!(error instanceof Error) || error instanceof ErrandError) return error
  const options = { cause: error }
  if (isLost(error)) return new ErrandError('STORE_UNREACHABLE', { why: lineWords(error) }, options)
  const word = wordOf(error)
  const why = WHY[word]
  if (why !== undefined) return new ErrandError('STORE_UNREACHABLE', { why }, options)
  switch (word) {
    case 'OOM':
      return new ErrandError('STORE_FULL', {}, options)
    case 'MISCONF':
      return /space/i.test(error.message)
        ? new ErrandError('STORE_FULL', {}, options)
        : new ErrandError('STORE_FAILED', { why: 'the server cannot write to its disk' }, options)
    case 'BUSY':
      return new ErrandError('STORE_BUSY', { waitedMs: 0 }, options)
    case 'WRONGTYPE':
      return new ErrandError('STORE_CORRUPT', { file: location }, options)
    case 'ERRAND_CHANGED':
      return new ErrandError(
        'STORE_CHANGED',
        { why: 'its identity is missing, or another' },
        options,
      )
    default:
      return new ErrandError('STORE_FAILED', { why: serverWords(error) }, options)
  }
}

const lineWords = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 100)

/** A script's complaint ends before what it complained of; arguments are never repeated. */
const serverWords = (error: Error): string =>
  error.message
    .split(/,? with args| script: /)[0]
    ?.replaceAll(/'[^']*'/g, '…')
    .replaceAll(/[^\x20-\x7e…]/g, '?')
    .slice(0, 120) ?? ''
