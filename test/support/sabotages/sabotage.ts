/** One way to break Errand, and the test that must notice. */
export type Sabotage = {
  breaks: string
  file: string
  find: string
  put: string
  test: string
  red: RegExp
}

export const SQLITE = 'test/store/sqlite.test.ts'
export const REDIS = 'test/store/redis.test.ts'
export const POSTGRES = 'test/store/postgres.test.ts'
export const BESIDE = 'test/store/postgres-tx-beside.test.ts'
export const OUTAGES = 'test/store/outages.test.ts'
