/**
 * Redis sends 64 KiB of a reply at a time, and before the rest it runs what has come in meanwhile: a trip that brings
 * more is answered after the one behind it.
 */
const REPLY_MAX = 60_000
/** Beside its row: its place in the receipt, and what a reply says around both. */
const AROUND = 38
/** Fewer would be too many trips. */
const LEAST = 100

/** How many jobs a trip may bring, by how large they were the last time. */
export class Handful {
  most = Infinity

  brought(count: number, rows: readonly unknown[]): void {
    if (count === 0) return
    const sizes = rows.map((row) => (Buffer.isBuffer(row) ? row.length : 0))
    const bytes = sizes.reduce((sum, size) => sum + size, AROUND * count)
    this.most = Math.max(LEAST, Math.floor((REPLY_MAX / bytes) * count))
  }
}
