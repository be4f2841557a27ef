import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setInterval } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'

const LOOK_EVERY_MS = 100
/** 16 MiB of log: long enough that a page written often is copied once, short enough to be read past. */
const LOG_PAGES_MAX = 4096

const file = String(workerData)
const db = new DatabaseSync(file, { timeout: 50 })
db.exec('pragma synchronous = full')
const look = db.prepare('pragma wal_checkpoint(noop)')
const copy = db.prepare('pragma wal_checkpoint(passive)')
const restart = db.prepare('pragma wal_checkpoint(restart)')

let seenMs = 0
for await (const _ of setInterval(LOOK_EVERY_MS)) {
  const { mtimeMs = 0 } = statSync(`${file}-wal`, { throwIfNoEntry: false }) ?? {}
  if (mtimeMs === seenMs) continue
  seenMs = mtimeMs
  if (Number(look.get()?.log) < LOG_PAGES_MAX) continue
  // Copied first, while writers go on; then they wait for the few pages that came meanwhile. A copy
  // alone never catches up with constant writers, and the log would grow without end.
  copy.get()
  restart.get()
}
