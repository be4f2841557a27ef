import { closeSync, constants, type FSWatcher, openSync, watch, writeSync } from 'node:fs'
import type { Millis } from '../../base/time.ts'
import type { Topic } from '../contract.ts'

type Rope = {
  file?: string
  fd?: number
  watcher?: FSWatcher
  listeners: Set<() => void>
  touchedAt: Millis
  due?: NodeJS.Timeout
}

/** Rings that follow within this span share one touch: listeners would only be woken for nothing. */
const TOUCH_EVERY_MS = 1

/**
 * Tells this and other processes that something changed: a byte is written to a small file beside the
 * database, and whoever listens watches that file. A missed event is covered by the listener's slow poll.
 */
export class Bells implements Disposable {
  readonly #ropes: Record<Topic, Rope>

  /** Without a file (a database in memory) only this process hears. */
  constructor(file: string | undefined) {
    const rope = (topic: Topic): Rope => ({
      listeners: new Set(),
      touchedAt: 0,
      ...(file !== undefined && { file: `${file}-${topic}` }),
    })
    this.#ropes = {
      ready: rope('ready'),
      change: rope('change'),
      cancel: rope('cancel'),
      entry: rope('entry'),
    }
  }

  ring(topics: Iterable<Topic>): void {
    for (const topic of topics) {
      const rope = this.#ropes[topic]
      if (rope.file !== undefined) touchSoon(rope, rope.file)
      for (const ring of rope.listeners) ring()
    }
  }

  listen(topic: Topic, ring: () => void): Disposable {
    const rope = this.#ropes[topic]
    rope.listeners.add(ring)
    if (rope.file !== undefined && rope.watcher === undefined) watchFile(rope, rope.file)
    return { [Symbol.dispose]: () => void rope.listeners.delete(ring) }
  }

  [Symbol.dispose](): void {
    for (const rope of Object.values(this.#ropes)) {
      rope.watcher?.close()
      clearTimeout(rope.due)
      if (rope.due !== undefined && rope.file !== undefined) touch(rope, rope.file)
      if (rope.fd !== undefined) closeSync(rope.fd)
      delete rope.fd
    }
  }
}

/** Without watches left in the kernel the poll still finds everything, only later. */
function watchFile(rope: Rope, file: string): void {
  try {
    rope.fd ??= touchable(file)
    const watcher = watch(file, { persistent: false }, () =>
      rope.listeners.forEach((tell) => tell()),
    )
    rope.watcher = watcher.on('error', () => watcher.close())
  } catch {
    // Tried again by the next who listens.
  }
}

/** At once after a silence, so that an idle listener wakes without delay; else with those that follow. */
function touchSoon(rope: Rope, file: string): void {
  if (performance.now() - rope.touchedAt >= TOUCH_EVERY_MS) touch(rope, file)
  else rope.due ??= setTimeout(() => touch(rope, file), TOUCH_EVERY_MS)
}

function touch(rope: Rope, file: string): void {
  clearTimeout(rope.due)
  delete rope.due
  rope.touchedAt = performance.now()
  try {
    writeSync((rope.fd ??= touchable(file)), '.', 0)
  } catch {
    // What it would tell has been committed: listeners find it by their poll.
  }
}

const touchable = (file: string) => openSync(file, constants.O_CREAT | constants.O_WRONLY, 0o600)
