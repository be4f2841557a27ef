import { SqliteStore } from '../../src/store/sqlite/store.ts'
import { hasCode } from '../../src/job/errors.ts'
import { chore } from './jobs.ts'

/** Fills a small disk until it refuses, then says what is still there. Prints one JSON line. */
const [scenario = '', file = ''] = process.argv.slice(2)

if (scenario === 'fill') {
  await using store = await SqliteStore.open(file)
  let accepted = 0
  let code = 'none'
  while (code === 'none' && accepted < 100_000) {
    try {
      await store.insert([chore({ input: new Uint8Array(20_000) })])
      accepted++
    } catch (error) {
      code = hasCode(error, 'STORE_FULL') ? 'STORE_FULL' : String(error)
    }
  }
  const [tally] = await store.tally()
  console.log(
    JSON.stringify({ code, accepted, stored: tally?.accepted, findings: await store.verify() }),
  )
} else {
  const code = await SqliteStore.open(file).then(
    () => 'opened',
    (error: unknown) => (hasCode(error, 'STORE_READONLY') ? 'STORE_READONLY' : String(error)),
  )
  console.log(JSON.stringify({ code }))
}
