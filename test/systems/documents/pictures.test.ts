import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, deflateSync } from 'node:zlib'
import { resizePicture, WIDTHS } from '../../../systems/documents/pictures/contract.ts'
import { decodePng, encodePng, PngUnfit, pngSize } from '../../../systems/documents/pictures/png.ts'
import { resize } from '../../../systems/documents/pictures/resize.ts'
import { samplePicture } from '../../../systems/documents/pictures/sample.ts'
import { onEachStore } from '../stage.ts'
import { finish, openDocumentsOn } from './stage.ts'

const SAMPLE = Uint8Array.from(samplePicture(900, 600))

onEachStore((open) => {
  test('a picture is made smaller in each width that is smaller than it', async () => {
    await using system = await openDocumentsOn(open)
    const id = await system.upload('pictures?name=hills.png', SAMPLE)
    const { status, result } = await finish(system, id)
    assert.equal(status, 'SUCCESS')
    const sizes = Array.isArray(result?.['sizes']) ? result['sizes'] : []
    assert.deepEqual(
      sizes.map(({ width }) => width),
      [...WIDTHS],
    )
    const [{ taskId, file }] = sizes
    const link = await system.ask(`/documents/pictures/${taskId}/${file}`)
    const png = await system.ask(link.headers.get('location') ?? '')
    assert.deepEqual(pngSize(new Uint8Array(await png.arrayBuffer())), { width: 800, height: 533 })
  })

  test('what is no picture is told before any work is done', async () => {
    await using system = await openDocumentsOn(open)
    const id = await system.upload('pictures?name=hills.png', SAMPLE.slice(0, 20))
    const { status, error } = await finish(system, id)
    assert.equal(status, 'FAILURE')
    assert.match(error?.message ?? '', /no PNG/)
    assert.deepEqual((await system.errand.list({ job: resizePicture.name }, 5)).jobs, [])
  })
})

test('it runs alone, one at a time, and after what people wait for', () => {
  const { policy, priority, limits } = resizePicture
  assert.equal(policy.isolate, true)
  assert.equal(priority, 8)
  assert.partialDeepStrictEqual(limits, { fixed: [{ key: 'documents.cpu', running: 1 }] })
})

test('a picture read is the picture that was written', () => {
  const data = Uint8Array.from({ length: 7 * 5 * 4 }, (_, i) => (i * 37) % 256)
  assert.deepEqual(decodePng(encodePng({ width: 7, height: 5, data })).data, data)
})

test('every filter and colour type that is written by others is read', () => {
  // Two rows of two pixels: grey, then RGB, under each filter.
  for (const filter of [0, 1, 2, 3, 4]) {
    const rows = Buffer.from([0, 10, 20, filter, 5, 6])
    const { data } = decodePng(pngOf(2, 2, 0, rows))
    const [left, right] = GREY[filter] ?? [0, 0]
    assert.deepEqual([...data], [...grey(10), ...grey(20), ...grey(left), ...grey(right)])
  }
  const { data } = decodePng(pngOf(1, 1, 2, Buffer.from([0, 1, 2, 3])))
  assert.deepEqual([...data], [1, 2, 3, 255])
})

test('a small file that promises little and holds much is refused', () => {
  assert.throws(() => decodePng(pngOf(1, 1, 6, Buffer.alloc(10_000_000))), PngUnfit)
  assert.throws(() => pngSize(pngOf(100_000, 100_000, 6, Buffer.alloc(1))), /at most/)
})

test('half black and half white is as bright as both together', () => {
  const data = Uint8Array.from([...grey(0), ...grey(255)])
  const { data: one } = resize({ width: 2, height: 1, data }, 1)
  assert.deepEqual([...one], grey(188))
  // In numbers the middle would be 128.
  const dim = Uint8Array.from([...grey(64), ...grey(192)])
  assert.deepEqual([...resize({ width: 2, height: 1, data: dim }, 1).data], grey(146))
})

/** What a grey row of 5 and 6 comes to below 10 and 20, by its filter. */
const GREY: [number, number][] = [
  [5, 6],
  [5, 11],
  [15, 26],
  [10, 21],
  [15, 26],
]
const grey = (of: number) => [of, of, of, 255]

function pngOf(width: number, height: number, colour: number, rows: Buffer): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, colour, 0, 0, 0], 8)
  const chunk = (name: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(name), content])
    const ends = Buffer.alloc(8)
    ends.writeUInt32BE(content.length, 0)
    ends.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows))])
}
