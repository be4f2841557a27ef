import { AsyncLocalStorage } from 'node:async_hooks'
import type { Task } from './crew.ts'

/**
 * Whose work this is, however many callbacks later: an error that nobody caught, an exit, or an endless
 * loop is that job's and not its neighbours'.
 */
export const current = new AsyncLocalStorage<Task>()

/** Under this symbol the dead-man thread, which shares no memory with this one, finds the id. */
export const WHO_RUNS = 'errand.who'

Reflect.set(globalThis, Symbol.for(WHO_RUNS), () => current.getStore()?.id)
