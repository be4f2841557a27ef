import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setInterval } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'

const LOOK_EVERY_MS = 100
/** 16 MiB of log: long enough that a page written often is copied once, short enough to be read past. */
const LOG_PAGES_MAX = 4096
const PAGE_BYTES = 4096
const STEP_EVERY_MS = 20
const STEPS_MAX = 500

const file = String(workerData)
const db = new DatabaseSync(file, { timeout: 50 })
db.exec('pragma synchronous = full')
const look = db.prepare('pragma wal_checkpoint(noop)')
const copy = db.prepare('pragma wal_checkpoint(passive)')
const restart = db.prepare('pragma wal_checkpoint(restart)')

const logBytes = () => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0

/**
 * A commit into a log that grows must also sync the file's new size, which costs a third more. So the
 * log is brought to its full size once; from then on it is written over.
 */
async function stretch(): Promise<void> {
  const put = db.prepare('insert into slack (bytes) values (zeroblob(262144))')
  const clear = db.prepare('delete from slack')
  // Small steps, so that whoever wants the lock waits for one of them; a step that finds the lock taken,
  // or the disk full, is left out, and the log grows as it goes.
  let step = 0
  for await (const _ of setInterval(STEP_EVERY_MS)) {
    if (logBytes() >= LOG_PAGES_MAX * PAGE_BYTES || ++step > STEPS_MAX) break
    attempt(() => put.run())
    attempt(() => clear.run())
  }
  for (const move of [copy, restart]) attempt(() => move.get())
}

function attempt(act: () => unknown): void {
  try {
    act()
  } catch {
    // Tried again by the next round.
  }
}

await stretch()

let seenMs = 0
for await (const _ of setInterval(LOOK_EVERY_MS)) {
  const { mtimeMs = 0 } = statSync(`${file}-wal`, { throwIfNoEntry: false }) ?? {}
  if (mtimeMs === seenMs) continue
  seenMs = mtimeMs
  if (Number(look.get()?.log) < LOG_PAGES_MAX) continue
  // Copied first, while writers go on, and again what came meanwhile; only for the rest they wait. A
  // copy alone never catches up with constant writers, and the log would grow without end.
  for (const move of [copy, copy, restart]) attempt(() => move.get())
}
