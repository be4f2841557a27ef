export { type Enqueued } from './client/client.ts'
export { type App, type Caller, defineApp, type Desk, type Env } from './http/app.ts'
export { exponential } from './job/backoff.ts'
export type { Context, Logger, Progress, Resources } from './job/context.ts'
export { FatalError, RetryAfter } from './job/control.ts'
export {
  defineJob,
  type Definition,
  handler,
  type Handler,
  type JobOptions,
  type WholeJob,
} from './job/define.ts'
export { type Code, ErrandError, hasCode } from './job/errors.ts'
export type { EnqueueOptions } from './job/prepare.ts'
export type { Schema } from './job/schema.ts'
export type { State } from './job/state.ts'
export type { JobView } from './job/view.ts'
export { Errand, open, type OpenOptions } from './open.ts'
export type { Worker } from './worker/worker.ts'
export type { WorkerSettings } from './worker/settings.ts'
