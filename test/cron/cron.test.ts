import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextCron } from '../../src/cron.ts'
import { dayByDay, minuteByMinute, reckon, wallsOf } from './reckoning.ts'

const HOUR = 3_600_000
const [FROM, UNTIL] = [Date.UTC(2020, 0, 1), Date.UTC(2040, 0, 1)]
/** For so long before and after a turn of the clock every minute is looked at. */
const [NEAR, AROUND] = [5 * HOUR, 26 * HOUR]

/** Half hours, two hours, at midnight, before midnight, in Ramadan, given up, off the quarter: and one that never turns. */
const ZONES = [
  'Australia/Perth',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Atlantic/Azores',
  'America/Santiago',
  'Asia/Tehran',
  'America/Nuuk',
  'Africa/Cairo',
  'Pacific/Chatham',
  'Europe/Berlin',
]

/** Seldom enough to be followed through all the years. */
const RARE = [
  '30 2 * * *',
  '0 0 1 * *',
  '45 23 * * 6',
  '15 1,13 13 * 5',
  '0 2 29 2 *',
  '30 0-3 1-7 4,10 *',
]
/** Often: followed around every turn of a clock. */
const OFTEN = [
  '* * * * *',
  '*/15 * * * *',
  '0 * * * *',
  '30 2,14 * * *',
  '0,20,40 0-4 * * *',
  '*/7 1-3 * * *',
  '5 */2 * * *',
  '0 0 * * *',
  '59 23 * * *',
  '10 2-3 * * 0',
  '0 3 * * *',
]

function turnsOf(zone: string): number[] {
  const turns: number[] = []
  let at: Temporal.ZonedDateTime | null =
    Temporal.Instant.fromEpochMilliseconds(FROM).toZonedDateTimeISO(zone)
  while ((at = at.getTimeZoneTransition('next')) !== null && at.epochMilliseconds < UNTIL)
    turns.push(at.epochMilliseconds)
  return turns
}

function said(cron: string, zone: string, from: number, until: number): number[] {
  const moments: number[] = []
  for (let at = nextCron(cron, zone, from - 1); at !== undefined && at < until;) {
    moments.push(at)
    at = nextCron(cron, zone, at)
  }
  return moments
}

test('rules of every second fire at every second', () => {
  const from = Date.UTC(2026, 10, 21)
  const moments = said('*/20 * * * * *', 'Australia/Perth', from, from + 60_000)
  assert.deepEqual(moments, [from, from + 20_000, from + 40_000])
  assert.equal(nextCron('* * * * * *', 'UTC', from + 1), from + 1000)
})

const spell = (moments: readonly number[], zone: string) =>
  moments.map((at) =>
    Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toString(),
  )

for (const zone of ZONES) {
  const turns = turnsOf(zone)

  test(`rules fire around every turn of the clock in ${zone} as its wall shows, minute by minute`, () => {
    for (const turn of turns) {
      const [from, until] = [turn - NEAR, turn + NEAR]
      const walls = wallsOf(zone, from, until)
      for (const cron of OFTEN) {
        const told = spell(said(cron, zone, from, until), zone)
        assert.deepEqual(told, spell(minuteByMinute(reckon(cron), walls), zone), cron)
      }
    }
  })

  test(`rules fire from 2020 to 2040 in ${zone} as its calendar has it`, () => {
    const around = turns.map((turn) => wallsOf(zone, turn - AROUND, turn + AROUND))
    for (const cron of RARE) {
      const rule = reckon(cron)
      const reckoned: number[] = []
      let from = FROM
      for (const [i, turn] of turns.entries()) {
        reckoned.push(...dayByDay(rule, zone, from, turn - AROUND))
        reckoned.push(...minuteByMinute(rule, around[i] ?? []))
        from = turn + AROUND
      }
      reckoned.push(...dayByDay(rule, zone, from, UNTIL))
      assert.deepEqual(spell(said(cron, zone, FROM, UNTIL), zone), spell(reckoned, zone), cron)
    }
  })
}
