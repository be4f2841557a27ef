import { defineJob, type WholeJob } from '../../src/job/define.ts'
import type { Files } from '../../src/files/contract.ts'
import type { Context } from '../../src/job/context.ts'
import type { Claimed } from '../../src/job/job.ts'
import type { Report } from '../../src/job/outcome.ts'
import { readFailure } from '../../src/job/failure.ts'
import type { Note } from '../../src/store/contract.ts'
import { Performance } from '../../src/worker/perform.ts'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskFiles } from '../../src/files/disk/disk.ts'
import { claimed } from './claimed.ts'
import { anything } from './schema.ts'

export type Run = (input: unknown, context: Context) => unknown
export type Played = { performance: Performance; notes: Note[]; job: Claimed }

/** Where single attempts are performed: no store, no worker, only a folder for files. */
export class Stage implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'errand-stage-'))
  readonly files: Files = new DiskFiles(this.folder)

  /** One attempt at a job, about to run, and what it says meanwhile. */
  set(run: Run, over: object = {}, claim: Partial<Claimed> = {}): Played {
    const notes: Note[] = []
    const whole: WholeJob = defineJob({ name: 'chore', input: anything(), run, ...over })
    const job = { ...claimed({}, claim), policy: whole.policyBytes }
    const note = (said: Note) => void notes.push(said)
    const take = () => undefined
    const tools = { files: this.files, resources: undefined, scratch: this.folder, note, take }
    const { attempts: attemptsMax, softMs, hardMs } = whole.policy
    const limits = { softMs, hardMs, attemptsMax, now: Date.now() }
    const performance = new Performance(whole.handler, job, limits, tools)
    return { performance, notes, job }
  }

  perform(run: Run, over: object = {}, claim: Partial<Claimed> = {}): Promise<Report> {
    return this.set(run, over, claim).performance.run()
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

/** A failed report in a few words: reason, whether to retry, and the message. */
export function gist(report: Report): unknown[] {
  assert(report.how === 'failed', `it ${report.how}`)
  return [report.reason, report.retry, readFailure(report.error).message]
}

/** Throws, as an expression. */
export function fail(error: unknown): never {
  throw error
}
