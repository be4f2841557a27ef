import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Span } from '../base/time.ts'
import { DiskFiles } from '../files/disk/disk.ts'
import { type App, handlersOf } from '../http/app.ts'
import type { Resources } from '../job/context.ts'
import { readCount, readSpan, refuseUnknown } from '../job/options.ts'
import { readKeys } from '../open.ts'
import { SqliteStore } from '../store/sqlite/store.ts'
import { InlineCrew } from '../worker/inline.ts'
import { HandClock } from './clock.ts'
import { FaultPlan, type PlannedFault } from './faults.ts'
import { Rehearsal } from './rehearsal.ts'

export type RehearseOptions = {
  /** What handlers find in `resources`, in place of what the app's `start` makes. */
  resources?: Partial<Resources>
  /** What goes wrong, and when. */
  faults?: readonly PlannedFault[]
  /** When it begins: now unless said. */
  at?: Date
  /**
   * How long a handler may take by the clock on the wall, before it is taken to wait for the clock of the test:
   * 1 s unless said.
   */
  patience?: Span
  /** How many runs `drain` or `advance` may take: 10 000 unless said. */
  runsMax?: number
  /** Keys for sealed data, as `open` takes them: some unless said. */
  sealKeys?: string
}

const KNOWN = ['resources', 'faults', 'at', 'patience', 'runsMax', 'sealKeys']

/**
 * Opens Errand in memory for a test of an app's handlers: no server, no sleep. Its clock stands still until the
 * test moves it.
 * @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION, UNKNOWN_JOB (a fault for a job without a handler)
 */
export async function rehearse(
  app: Pick<App, 'jobs' | 'limits' | 'handlers' | 'start' | 'stop'>,
  options: RehearseOptions = {},
): Promise<Rehearsal> {
  refuseUnknown(options, KNOWN)
  const keys = readKeys(options.sealKeys ?? `test:${randomBytes(32).toString('base64')}`)
  const patienceMs = readSpan('patience', options.patience ?? '1s', { min: 1 })
  const runsMax = readCount('runsMax', options.runsMax ?? 10_000, { min: 1 })
  const handlers = await handlersOf(app)
  const known = new Set(handlers.map(({ definition }) => definition.name))
  const faults = new FaultPlan(options.faults ?? [], known)
  const started = options.resources ? undefined : await app.start?.()
  const resources = options.resources ?? started
  const clock = new HandClock(options.at?.getTime() ?? Date.now())
  const store = await SqliteStore.open(':memory:', { clock })
  const folder = mkdtempSync(join(tmpdir(), 'errand-rehearsal-'))
  const files = new DiskFiles(join(folder, 'files'))
  const { limits = [] } = app
  const tools = { files, resources, scratch: folder, keys, limits, now: () => clock.now() }
  return Rehearsal.begin({
    store,
    files,
    clock,
    jobs: app.jobs,
    keys,
    faults,
    hire: () => new InlineCrew(handlers, tools, 1),
    patienceMs,
    runsMax,
    close: async () => {
      if (started) await app.stop?.(started)
      rmSync(folder, { recursive: true, force: true })
    },
  })
}
