import { LOG_LEVELS, type Step } from '../../job/job.ts'
import type { Note } from '../contract.ts'
import { damaged } from '../parts/damage.ts'
import { packJob } from './jobs.ts'
import { Packer } from './pack.ts'

/** Writes notes as note.lua takes them: sections, then lines, each after its length. `kinds` are of what is called. */
export function packNotes(notes: readonly Note[], kinds: readonly Buffer[]): Buffer {
  const packer = new Packer()
  let next = 0
  for (const { id, fence, progress, step, child, log = [] } of notes) {
    packer.id(id).six(fence)
    const sections = packer.hole()
    const lines = packer.hole()
    const from = packer.length
    if (progress) packer.section('P', progress)
    if (step) packer.section('S', new Packer().text(step.name).bytes(step.value).done())
    if (step && child) {
      const packed = new Packer()
      packJob(packed, child, kinds[next++] ?? damaged())
      packer.section('C', packed.done())
    }
    packer.fill(sections, from)
    const start = packer.length
    for (const { at, level, text } of log) {
      const hole = packer.hole()
      const line = packer.length
      packer.six(at).six(fence).byte(LOG_LEVELS.indexOf(level)).bytes(Buffer.from(text))
      packer.fill(hole, line)
    }
    packer.fill(lines, start)
  }
  return packer.done()
}

export const toLine = (packed: Buffer, n: number) => ({
  n,
  at: packed.readUIntBE(0, 6),
  fence: packed.readUIntBE(6, 6),
  level: LOG_LEVELS[packed[12] ?? 1] ?? 'info',
  text: packed.toString('utf8', 13),
})

/** What note.lua keeps of each name: when it was recorded, as which, and its value. */
export const toSteps = (recorded: ReadonlyMap<string, Buffer>): Step[] =>
  [...recorded]
    .map(([name, packed]) => ({ name, packed, n: packed.readUInt32BE(6) }))
    .toSorted((a, b) => a.n - b.n)
    .map(({ name, packed }) => ({
      name,
      at: packed.readUIntBE(0, 6),
      value: packed.subarray(10),
    }))
