import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { nextCron } from '../../src/cron.ts'
import { ErrandError } from '../../src/job/errors.ts'
import { lastOf, momentsOf, nextOf, readRule, type RuleOptions } from '../../src/job/rule.ts'

const NOW = Date.UTC(2026, 10, 21, 1, 2, 3)
const MINUTE = 60_000
const read = (options: RuleOptions) => readRule(options, 'UTC', nextCron)

test('02:00 in Perth is 18:00 of the day before in UTC', () => {
  const rule = read({ cron: '0 2 * * *', zone: 'Australia/Perth' })
  assert.equal(nextOf(rule, NOW, nextCron), Date.UTC(2026, 10, 21, 18))
})

test('spans are counted from the beginning of 1970, or from a start', () => {
  const hourly = read({ every: '1h' })
  assert.deepEqual(momentsOf(hourly, NOW, 2, nextCron), [
    Date.UTC(2026, 10, 21, 2),
    Date.UTC(2026, 10, 21, 3),
  ])
  assert.equal(nextOf(hourly, Date.UTC(2026, 10, 21, 2), nextCron), Date.UTC(2026, 10, 21, 3))
  const shifted = read({ every: '1h', start: '2026-11-21T00:17:00Z' })
  assert.equal(nextOf(shifted, NOW, nextCron), Date.UTC(2026, 10, 21, 1, 17))
  const later = read({ every: '90s', start: new Date(NOW + MINUTE) })
  assert.equal(nextOf(later, NOW, nextCron), NOW + MINUTE)
})

test('a rule that makes no sense is refused with its own code', () => {
  const refusals: [RuleOptions, string][] = [
    [{ cron: '60 * * * *' }, 'INVALID_CRON'],
    [{ cron: '* * * *' }, 'INVALID_CRON'],
    [{ cron: '* * * * * * *' }, 'INVALID_CRON'],
    [{ cron: '? * * * *' }, 'INVALID_CRON'],
    [{ cron: '٣ * * * *' }, 'INVALID_CRON'],
    [{ cron: '@reboot' }, 'INVALID_CRON'],
    [{ cron: '' }, 'INVALID_CRON'],
    [{ cron: '* '.repeat(5000) }, 'INVALID_CRON'],
    [{ cron: '30 2 31 2 *' }, 'CRON_NEVER_FIRES'],
    [{ cron: '0 0 30 2 *' }, 'CRON_NEVER_FIRES'],
    [{ cron: '0 0 * * *', zone: 'Mars/Phobos' }, 'UNKNOWN_TIME_ZONE'],
    [{ cron: '0 0 * * *', zone: '../../etc/localtime' }, 'UNKNOWN_TIME_ZONE'],
    [{ cron: '0 0 * * *', zone: '+08:00' }, 'UNKNOWN_TIME_ZONE'],
    [{}, 'INVALID_OPTION'],
    [{ cron: '0 0 * * *', every: '1h' }, 'INVALID_OPTION'],
    [{ every: '1h', zone: 'UTC' }, 'INVALID_OPTION'],
    [{ cron: '0 0 * * *', start: '2026-11-21T00:17:00Z' }, 'INVALID_OPTION'],
    [{ every: '1h', start: 'soon' }, 'INVALID_OPTION'],
    [{ every: '500ms' }, 'INVALID_OPTION'],
    [{ every: '400d' }, 'INVALID_OPTION'],
  ]
  for (const [options, code] of refusals)
    assert.throws(
      () => read(options),
      (error) => error instanceof ErrandError && error.code === code,
      JSON.stringify(options).slice(0, 80),
    )
})

test('what is random is refused or understood, and soon', () => {
  const part = fc.oneof(
    fc.constantFrom('*', '*/5', '1-5', '1,2', 'L', '5#2', 'mon', '15W', '0'),
    fc.string({ maxLength: 5 }),
  )
  const cron = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(' '))
  const refused = fc.property(cron, (text) => {
    const from = performance.now()
    try {
      read({ cron: text })
    } catch (error) {
      assert(error instanceof ErrandError)
    }
    assert(performance.now() - from < 1000, text)
  })
  fc.assert(refused, { numRuns: 3000 })
})

test('the last moment of a span is the one that a walk through it ends with', () => {
  const rules = ['*/7 * * * *', '30 2 * * *', '0 0 1 * *', '0 12 * * 1'].map((cron) =>
    read({ cron, zone: 'America/Nuuk' }),
  )
  const holds = fc.property(
    fc.constantFrom(...rules, read({ every: '17m' })),
    fc.integer({ min: 0, max: 365 * 1440 }),
    fc.integer({ min: 0, max: 3 * 1440 }),
    (rule, since, span) => {
      const from = NOW + since * MINUTE
      const until = from + span * MINUTE
      const walked = momentsOf(rule, from, 10_000, nextCron, until).at(-1)
      assert.equal(lastOf(rule, from, until, nextCron), walked)
    },
  )
  fc.assert(holds, { numRuns: 200 })
})
