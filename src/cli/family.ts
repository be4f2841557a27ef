/** What a child tells the manager: where it answers, or which worker it is. */
export type Word = { ready: Ready } | { worker: string }
export type Ready = { url: string; page?: string; store: string; first: string }

/** Nothing happens in a process that no manager started. */
export const tellManager = (word: Word): void => void process.send?.(word)

export const isWord = (said: unknown): said is Word =>
  typeof said === 'object' && said !== null && ('ready' in said || 'worker' in said)
