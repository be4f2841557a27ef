/** Kinds of jobs in a chaos run: how many of a thousand, and how each must have ended when all is over. */
export type Kind = { share: number; ends: readonly string[] }

export const KINDS = {
  /** A few milliseconds. */
  short: { share: 543, ends: ['completed'] },
  medium: { share: 180, ends: ['completed'] },
  /** Fails once or twice. */
  flaky: { share: 80, ends: ['completed'] },
  /** Two and a half leases long, with progress. */
  long: { share: 36, ends: ['completed'] },
  /** Keeps its event loop for one and a half leases. */
  busy: { share: 3, ends: ['completed'] },
  delayed: { share: 20, ends: ['completed'] },
  /** Two with one value: the second joins the first while that lives. */
  unique: { share: 20, ends: ['completed'] },
  /** Leaves a file. */
  file: { share: 20, ends: ['completed'] },
  /** Shares its executor with nobody. */
  isolated: { share: 10, ends: ['completed'] },
  /** Has a hook for its success, or fails and has one for that. */
  followed: { share: 20, ends: ['completed'] },
  doomed: { share: 20, ends: ['failed error'] },
  /** Sleeps, waits for a signal that may not come, then works: set aside meanwhile. */
  patient: { share: 20, ends: ['completed'] },
  /** Takes its turn under a limit, closes that for a moment and gives itself back, then works. */
  caller: { share: 10, ends: ['completed'] },
  /** Calls two others, records a step, sleeps, calls a third and leaves a job behind. */
  family: { share: 10, ends: ['completed'] },
  /** Items of a batch, which come with it: see batches.ts. */
  item: { share: 0, ends: ['completed'] },
  dud: { share: 0, ends: ['failed error'] },
  /** Ends its process every time. */
  poison: { share: 2, ends: ['failed crashed'] },
  /** Never ends by itself: killed at its hard limit. */
  endless: { share: 2, ends: ['failed timeout'] },
  /** Cancelled while it runs, or before, or too late. */
  unwanted: { share: 4, ends: ['cancelled', 'completed'] },
} as const satisfies Record<string, Kind>

export type KindName = keyof typeof KINDS

export const KIND_NAMES = Object.keys(KINDS).filter((name): name is KindName => name in KINDS)
