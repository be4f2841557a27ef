import { after } from 'node:test'
import { emptied } from '../support/servers/emptied.ts'
import { PostgresServer } from '../support/servers/postgres.ts'
import { conform } from './conform.ts'

const server = await PostgresServer.start('max_connections=200')
const one = await emptied(server.url, 'one', 1)
const eight = await emptied(server.url, 'eight', 8)
after(async () => {
  for (const used of [one, eight, server]) await used[Symbol.asyncDispose]()
})

conform('PostgreSQL', (clock) => one.store(clock))
conform('PostgreSQL over eight stores', (clock) => eight.store(clock))
