import type { NewJob } from '../../job/job.ts'
import type { BatchCopy } from '../../job/moving.ts'
import { BATCHES_MAX } from '../parts/copying.ts'
import { damaged } from '../parts/damage.ts'
import { toBatch } from './batches.ts'
import type { Connection } from './connection.ts'
import { packJob, readLimits } from './jobs.ts'
import type { Kind, Kinds } from './kinds.ts'
import { idAt, number, Packer } from './pack.ts'
import { bufferOf, hashOf, listOf, sectionsOf, textsIn } from './rows.ts'

/** Batches whole, with the job at their end, on their way from one store to another. */

type Page = { batches: BatchCopy[]; next?: number }

/** In the order in which they were opened, after this one. */
export async function copyBatches(
  after: number,
  limit: number,
  { connection, kinds }: { connection: Connection; kinds: Kinds },
): Promise<Page> {
  const { keys } = connection
  const most = Math.min(limit, BATCHES_MAX)
  const range = [`(${after}`, '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES']
  const found = listOf(await connection.ask('ZRANGE', keys.batches, ...range)).map(bufferOf)
  const batches: BatchCopy[] = []
  for (let i = 0; i < found.length; i += 2) {
    const packed = found[i] ?? damaged()
    const fields = hashOf(await connection.ask('HGETALL', keys.batch(packed)))
    const last = fields.get('end')
    const end = last && { end: await unpackJob(last, kinds) }
    if (fields.size > 0) batches.push({ ...toBatch(idAt(packed, 0), fields), ...end })
  }
  const isFull = found.length === 2 * most
  return { batches, ...(isFull && { next: Number(String(found.at(-1))) }) }
}

/** As adopt.lua takes them: id, kept until when, lengths of its fields and values, those. */
export function packBatches(batches: readonly BatchCopy[], kinds: readonly Buffer[]): Buffer {
  const packer = new Packer()
  let ends = 0
  for (const batch of batches) {
    packer.id(batch.id).six(batch.endedAt === undefined ? 0 : batch.endedAt + batch.keepMs)
    const hole = packer.hole()
    const from = packer.length
    for (const [name, value] of Object.entries(fieldsOf(batch)))
      if (value !== undefined) packField(packer, name, Buffer.from(`${value}`))
    if (batch.end) {
      const end = new Packer()
      packJob(end, batch.end, kinds[ends++] ?? damaged())
      packField(packer, 'end', end.done())
    }
    packer.fill(hole, from)
  }
  return packer.done()
}

const packField = (packer: Packer, name: string, value: Buffer) =>
  packer.text(name).long(value.length).bytes(value)

const fieldsOf = (batch: BatchCopy): Record<string, string | number | undefined> => ({
  job: batch.job,
  tenant: batch.tenant,
  keep: number(batch.keepMs),
  created: batch.createdAt,
  filled: batch.filledAt,
  closed: batch.closedAt,
  ended: batch.endedAt,
  stopped: batch.stopped,
  max: batch.failedMax,
  print: batch.fingerprint,
  items: batch.items,
  completed: batch.completed,
  warned: batch.withErrors,
  failed: batch.failed,
  cancelled: batch.cancelled,
  erased: batch.erased,
  endings: batch.endings,
})

/** What `packJob` wrote. */
async function unpackJob(packed: Buffer, kinds: Kinds): Promise<NewJob> {
  const size = packed.readUInt32BE(16)
  const body = packed.subarray(24, 24 + size)
  const of = body.toString('latin1', 1, 9)
  if (!kinds.kind(of)) await kinds.load([of])
  const { job, queue, policy }: Kind = kinds.kind(of) ?? damaged()
  const length = body.readUInt16BE(9)
  const tenant = body.toString('utf8', 11, 11 + length)
  const input = sectionsOf(body, 11 + length).get('i') ?? damaged()
  const more = sectionsOf(packed, 24 + size)
  const span = (code: string) => more.get(code)?.readUIntBE(0, 6)
  const [runAt, delayMs, expiresInMs, deadlineMs] = [span('A'), span('T'), span('X'), span('D')]
  const [value, fingerprint, subject] = [more.get('u'), more.get('p'), more.get('s')]
  const [tags, limits] = [textsIn(more.get('t')), more.get('l')]
  return {
    id: idAt(packed, 0),
    job,
    queue,
    tenant,
    priority: body[0] ?? damaged(),
    input,
    policy,
    ...(runAt !== undefined && { runAt }),
    ...(delayMs !== undefined && { delayMs }),
    ...(expiresInMs !== undefined && { expiresInMs }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(fingerprint && { fingerprint: fingerprint.toString() }),
    ...(subject && { subject: idAt(subject, 0) }),
    ...(tags.length > 0 && { tags }),
    ...(limits && { limits: readLimits(limits) }),
    ...(value && {
      unique: {
        value: value.toString().split('\0')[2] ?? damaged(),
        until: more.has('k') ? 'kept' : 'end',
        onConflict: more.has('F') ? 'refuse' : 'join',
      },
    }),
  }
}
