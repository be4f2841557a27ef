import type { Bytes } from '../../base/json.ts'
import type { Millis } from '../../base/time.ts'
import type { WorkerId } from '../../job/job.ts'
import type { WorkerRow } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import type { Connection } from './connection.ts'
import { idAt, packIds, toBuffer } from './pack.ts'
import { bufferOf, hashOf, listOf, numberOf } from './rows.ts'

const SHOWN_MS = 3_600_000
const TRIES_MAX = 5

type Known = {
  id: WorkerId
  running: number
  receipts: number
  registeredAt: Millis
  leaseUntil: Millis
  gone?: Millis
  info: Bytes
  metrics?: Bytes
}
type Look = { now: Millis; sum: Buffer | undefined; workers: Known[] }

/** Workers as they are kept, and the burial of those long gone. */
export class Workers {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async look(): Promise<Look> {
    const [sum, now, ...workers] = listOf(await this.#connection.call('workers', []))
    const buried = bufferOf(sum)
    return {
      now: bufferOf(now).readUIntBE(0, 6),
      sum: buried.length > 0 ? buried : undefined,
      workers: workers.map(toKnown).toSorted((a, b) => a.registeredAt - b.registeredAt),
    }
  }

  async rows(): Promise<WorkerRow[]> {
    const { now, workers } = await this.look()
    return workers
      .filter(({ gone }) => gone === undefined || gone > now - SHOWN_MS)
      .map(({ id, info, registeredAt, leaseUntil, gone, running }) => ({
        id,
        info,
        registeredAt,
        leaseUntil,
        alive: gone === undefined && leaseUntil > now,
        running,
      }))
  }

  async metrics(): Promise<Bytes[]> {
    const { sum, workers } = await this.look()
    return [...workers.flatMap(({ metrics }) => metrics ?? []), ...(sum ? [sum] : [])]
  }

  /** Folds outside and writes only when nobody else buried meanwhile. */
  async bury(fold: (metrics: readonly Bytes[]) => Bytes): Promise<number> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { now, sum, workers } = await this.look()
      const finished = workers.filter(
        ({ gone, receipts }) => gone !== undefined && gone <= now - SHOWN_MS && receipts === 0,
      )
      if (finished.length === 0) return 0
      const left = [...(sum ? [sum] : []), ...finished.flatMap(({ metrics }) => metrics ?? [])]
      const args = [
        packIds(finished.map(({ id }) => id)),
        wrap(sum),
        wrap(left.length > 0 ? fold(left) : undefined),
      ]
      const buried = numberOf(await this.#connection.call('workers', args, { as: 'bury' }))
      if (buried >= 0) return buried
    }
    // The others bury them.
    return 0
  }
}

const wrap = (bytes: Bytes | undefined): Buffer =>
  bytes === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.from('='), toBuffer(bytes)])

function toKnown(reply: unknown): Known {
  const [id, running, receipts, hash] = listOf(reply)
  const fields = hashOf(hash)
  const moment = (field: string) => Number(String(fields.get(field) ?? damaged()))
  const metrics = fields.get('metrics')
  return {
    id: idAt(bufferOf(id), 0),
    running: numberOf(running),
    receipts: numberOf(receipts),
    registeredAt: moment('registered'),
    leaseUntil: moment('leaseUntil'),
    ...(fields.has('gone') && { gone: moment('gone') }),
    info: fields.get('info') ?? damaged(),
    ...(metrics && { metrics }),
  }
}
