import type { Bytes } from '../../base/json.ts'
import type { Connection } from './connection.ts'
import { bytes, int } from './rows.ts'
import type { Turn } from './turns.ts'

/** Policies are few and shared by many jobs: each is stored once, and looked up here first. */
export class Policies {
  readonly #sql
  readonly #ids = new Map<string, number>()
  readonly #same = new WeakMap<Bytes, number>()
  readonly #bytes = new Map<number, Bytes>()

  constructor(connection: Connection) {
    this.#sql = connection.prepare('./insert.sql', ['policy', 'policyBytes'])
  }

  idOf(policy: Bytes, turn: Turn): number {
    const same = this.#same.get(policy)
    if (same !== undefined) return same
    const key = Buffer.from(policy.buffer, policy.byteOffset, policy.byteLength).toString('latin1')
    const known = this.#ids.get(key)
    if (known !== undefined) {
      this.#same.set(policy, known)
      return known
    }
    const id = int(this.#sql.policy.get(policy)?.id)
    // Remembered only once it is certain to be there.
    turn.after(() => this.#ids.set(key, id))
    return id
  }

  read(id: number, turn: Turn): Bytes {
    const known = this.#bytes.get(id)
    if (known !== undefined) return known
    const policy = bytes(this.#sql.policyBytes.get(id)?.bytes)
    turn.after(() => this.#bytes.set(id, policy))
    return policy
  }
}
