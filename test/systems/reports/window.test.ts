import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { FileName, nightly, report, send } from '../../../systems/reports/contract.ts'
import { csvOf } from '../../../systems/reports/csv.ts'
import { linesOf } from '../../../systems/reports/lines.ts'
import { Messages, type Reported } from '../../../systems/reports/messages.ts'
import { inputOf } from '../../../systems/reports/query.ts'
import { readSettings } from '../../../systems/reports/settings.ts'
import { msOf } from '../../../systems/reports/span.ts'
import { windowOf } from '../../../systems/reports/window.ts'
import { noon, openSource, seed } from './setup.ts'

const UTC = { step: '1d', zone: 'UTC' } as const

test('a window ends at the last midnight, and is the same on both sides of noon', () => {
  const expected = { from: '2026-11-25T00:00:00.000Z', to: '2026-11-28T00:00:00.000Z' }
  for (const now of ['2026-11-28T00:00:00.000Z', '2026-11-28T23:59:59.999Z'])
    assert.deepEqual(windowOf(3, UTC, Date.parse(now)), expected)
  const before = windowOf(3, UTC, Date.parse('2026-11-27T23:59:59.999Z'))
  assert.equal(before.to, '2026-11-27T00:00:00.000Z')
})

test('midnight is that of the zone, also where a day has 23 hours', () => {
  const berlin = windowOf(1, { step: '1d', zone: 'Europe/Berlin' }, Date.parse('2027-03-29T08:00Z'))
  assert.deepEqual(berlin, { from: '2027-03-27T23:00:00.000Z', to: '2027-03-28T22:00:00.000Z' })
})

test('a service that is called by a number has reports, whose files go without it', () => {
  for (const service of ['10000001', '0192c3d4-5678-7abc-8def-123456789012']) {
    const { filename } = inputOf({ days: 1, origin: 'batch' }, service, undefined, UTC)
    assert.match(filename, /^messages-batch-1d-[\d-]{10}\.csv$/)
  }
  for (const name of ['1_555_014_2001.csv', '1555-01-42001.csv', '5550-14-2001.csv'])
    assert.equal(FileName.safeParse(name).success, false, name)
  assert.equal(FileName.safeParse('minutes of 2026-11-28.csv').success, true)
})

test('a file bears the day in its zone on which its window ended', () => {
  const oslo = inputOf({ days: 1 }, 'demo', undefined, { step: '1d', zone: 'Europe/Oslo' })
  const today = Temporal.Now.plainDateISO('Europe/Oslo').toString()
  assert.equal(oslo.filename, `messages-demo-1d-${today}.csv`)
})

test('with another step a window ends where that began', () => {
  const now = Date.parse('2026-11-28T10:07:31Z')
  assert.equal(windowOf(1, { step: '5m', zone: 'UTC' }, now).to, '2026-11-28T10:05:00.000Z')
})

test('a message at the first moment of a window is in it, one at its end is not', async () => {
  using at = openSource()
  const to = Date.parse('2026-11-28T00:00:00.000Z')
  const from = to - 86_400_000
  for (const moment of [from - 1, from, to - 1, to])
    await seed(at.messages, [`+1555${moment}`], 'demo', moment)
  const window = { ...windowOf(1, UTC, to + 5), origin: 'all' } as const
  const read = await Array.fromAsync(at.messages.read('demo', window))
  assert.deepEqual(
    read.map((message) => Date.parse(message.at)),
    [from, to - 1],
  )
  assert.equal(await at.messages.count('demo', window), 2)
})

test('of a file that reaches over the edges of a window, what is within is read', async () => {
  using at = openSource()
  const to = Date.parse('2026-11-28T00:00:00.000Z')
  const from = to - 86_400_000
  const moments = [from - 1, from, to - 1, to]
  const about = { fromMs: from - 1, toMs: to, origin: 'batch', id: 'x' } as const
  const made = moments.map((ms) => ({ at: new Date(ms).toISOString(), to: '+1', template: 'x' }))
  await at.messages.add('demo', about, made)
  const window = { ...windowOf(1, UTC, to + 5), origin: 'all' } as const
  const read = await Array.fromAsync(at.messages.read('demo', window))
  assert.deepEqual(
    read.map((message) => Date.parse(message.at)),
    [from, to - 1],
  )
  assert.equal(await at.messages.count('demo', window), 2)
})

test('messages older than eight days are removed, others stay', async () => {
  using at = openSource()
  const now = Date.parse('2026-11-28T12:00:00.000Z')
  for (const days of [0, 8, 9, 10])
    await seed(at.messages, ['+15550142001'], 'demo', now - days * 86_400_000)
  await writeFile(join(at.folder, 'notes.txt'), 'of somebody else')
  assert.equal(await at.messages.sweep(now - msOf(readSettings({}).sourceKeep)), 2)
  assert.deepEqual(await at.messages.services(''), ['demo'])
  const window = { from: '2000', to: '2100', origin: 'all' } as const
  const left = await Array.fromAsync(at.messages.read('demo', { ...window, from: '2000-01-01' }))
  assert.equal(left.length, 2)
})

test('no service and no file leads out of the folder', async () => {
  using at = openSource()
  const where = { row: 0, at: 0 }
  await assert.rejects(at.messages.count('', { from: '2000', to: '2001', origin: 'all' }))
  for (const service of ['..', '.x', 'a/b', 'acme corp', '../../etc'])
    await seed(at.messages, ['+15550142001'], service, noon())
  assert.deepEqual((await readdir(at.folder)).toSorted(), [
    '%2E.',
    '%2E.%2F..%2Fetc',
    '%2Ex',
    'a%2Fb',
    'acme%20corp',
  ])
  for (const file of ['../x.ndjson', '2026-11-28/../../x', '/etc/passwd', '2026-11-28/x'])
    await assert.rejects(at.messages.one('demo', { file, ...where }), /no such file/)
})

test('where nobody finds the folder of all messages it is no report without messages', async () => {
  const messages = new Messages('/nowhere/at/all')
  const window = { ...windowOf(1, UTC), origin: 'all' } as const
  await assert.rejects(messages.count('demo', window), /ENOENT/)
})

test('lines are read whole, however they are cut; what begins like a formula is made harmless', async () => {
  using at = openSource()
  const template = '=cmd()' + 'é'.repeat(50_000)
  const about = { fromMs: 1, toMs: 1, origin: 'batch', id: 'x' } as const
  const made = [1, 2, 3].map(() => ({ at: '1970', to: '+15550142001', template }))
  const places = await at.messages.add('demo', about, made)
  const path = join(at.folder, 'demo', places[0]?.file ?? '')
  assert.equal((await Array.fromAsync(linesOf(path))).length, 3)
  const csv = await Array.fromAsync(csvOf(reported(template)))
  assert.match(Buffer.concat(csv).toString(), /,'=cmd\(\)é/)
})

async function* reported(template: string): AsyncGenerator<Reported> {
  yield { at: '1970', to: '+15550142001', template, origin: 'batch', status: 'accepted' }
}

test('a setting that does not fit is refused by its name', () => {
  const odd = {
    REPORTS_CARRIER_RATE: '5',
    REPORTS_BACKOFF: '1m,x',
    REPORTS_SEND_WITHIN: 'soon',
    REPORTS_SOURCE_KEEP: '193h',
  }
  for (const [name, value] of Object.entries(odd))
    assert.throws(() => readSettings({ [name]: value }), new RegExp(`^TypeError: ${name} needs `))
})

test('messages lie no longer than the report of seven whole days reaches back', () => {
  for (const given of ['8d', '7d', '1h'] as const)
    assert.equal(readSettings({ REPORTS_SOURCE_KEEP: given }).sourceKeep, given)
  assert.throws(() => readSettings({ REPORTS_SOURCE_KEEP: '30d' }), /needs 8d at most/)
})

test('what is shipped', () => {
  assert.deepEqual(readSettings({}), {
    source: '.errand/reports',
    service: 'demo',
    step: '1d',
    zone: 'UTC',
    keep: '7d',
    remember: '8d',
    sourceKeep: '8d',
    rowsMax: 1_000_000,
    perOwner: 5,
    attempts: 4,
    backoff: ['10s', '1m', '5m'],
    soft: '4m',
    hard: '5m',
    nightly: '0 1 * * *',
    sweep: '30 1 * * *',
    sendWithin: '4d',
    sendMax: 50_000,
    sendAttempts: 4,
    sendBackoff: ['10s', '1m', '5m'],
    carrierUrl: undefined,
    carrierRate: '1000/s',
    sampleRows: 400,
    origins: [],
  })
  assert.equal(report.policy.data, 'sealed')
  assert.equal(report.policy.keepFilesMs, 604_800_000)
  assert.deepEqual([report.policy.softMs, report.policy.hardMs], [240_000, 300_000])
  assert.deepEqual([send.policy.data, nightly.policy.data], ['reference', 'reference'])
})
