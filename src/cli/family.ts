import { Option } from 'commander'
import { startDeadman } from '../worker/lifeline.ts'
import { ORPHANED, stopSignal } from './stopping.ts'

/** What a child tells the manager: where it answers, which worker it is and with which crew, or that it turns. */
export type Word = { ready: Ready } | { worker: string } | { crew: Crew } | { beat: true }
export type Ready = { url: string; page?: string; store: string; first: string }
export type Crew = { pids: readonly number[]; scratch: string }
/** What the manager tells a child: which of its siblings die as soon as they are born. */
export type Troubles = { troubles: readonly string[] }

const BEAT_EVERY_MS = 2000
/** What a child may take to hand back what it has, once its manager is gone. */
const GRACE_MS = 800

/** Nothing happens in a process that no manager started, or whose manager is gone. */
export function tellManager(word: Word): void {
  if (process.connected) process.send?.(word, undefined, {}, () => undefined)
}

/** Said by our manager alone: other supervisors speak to their children as well, and lay no lifeline. */
export const managed = (): Option => new Option('--managed').hideHelp()

/**
 * The abort signal of a process that may be a manager's child. Such a one shows that its event loop turns,
 * stops as `ORPHANED` when its manager is gone, and has ended soon after that, whatever it does.
 */
export function joinFamily({ managed: isManaged }: { managed?: true }): AbortSignal {
  if (!isManaged) return stopSignal()
  startDeadman(GRACE_MS)
  setInterval(() => tellManager({ beat: true }), BEAT_EVERY_MS).unref()
  const orphaned = new AbortController()
  process.once('disconnect', () => orphaned.abort(ORPHANED))
  return AbortSignal.any([stopSignal(), orphaned.signal])
}

/** Hears what the manager says, for as long as there is one. */
export function hearManager(hear: (said: Troubles) => void): void {
  process.on('message', (said) => {
    if (isTroubles(said)) hear(said)
  })
}

export const isWord = (said: unknown): said is Word =>
  typeof said === 'object' &&
  said !== null &&
  ['ready', 'worker', 'crew', 'beat'].some((word) => word in said)

const isTroubles = (said: unknown): said is Troubles =>
  typeof said === 'object' && said !== null && 'troubles' in said && Array.isArray(said.troubles)
