import { POSTGRES, REDIS, type Sabotage, SQLITE } from './sabotage.ts'

/** What moves jobs from one store to another. */
export const MOVING: readonly Sabotage[] = [
  {
    breaks: 'who waits for a job that is lost on the way is not told',
    file: 'src/cli/commands/import.ts',
    find: 'words.length > 0 ? await store.post(words) : []',
    put: '[]',
    test: 'test/system/move.test.ts',
    red: /is told so/,
  },
  {
    breaks: 'a store adopts jobs and does not count them',
    file: 'src/store/sqlite/adopting.ts',
    find: "    turn.tallies.add(queue, 'accepted')\n",
    put: '',
    test: SQLITE,
    red: /C10 adopted/,
  },
  {
    breaks: 'a job that moved on where it came from passes for the same',
    file: 'src/store/sqlite/adopting.ts',
    find: "int(there.rev) < rev || int(there.fence) < fence ? 'behind' : 'already'",
    put: "'already'",
    test: SQLITE,
    red: /C8 an id/,
  },
  {
    breaks: 'Redis appends adopted jobs to a list that others left later',
    file: 'src/store/redis/adopt.lua',
    find: 'if row.run_at < clock or row.run_at > now then',
    put: 'if row.run_at > now then',
    test: REDIS,
    red: /C7 adopted/,
  },
  {
    breaks: 'PostgreSQL lets two adoptions of one job by',
    file: 'src/store/postgres/adopt.sql',
    find: '  lock table errand.job in share row exclusive mode;\n',
    put: '',
    test: POSTGRES,
    red: /C8 twenty adoptions/,
  },
  {
    breaks: 'what must not run twice is ready again after a move',
    file: 'src/job/moving.ts',
    find: "if (!('keepMs' in outcome)) return",
    put: "if (!('hooks' in outcome)) return",
    test: 'test/job/moving.test.ts',
    red: /must not run twice/,
  },
  {
    breaks: 'an export that was changed is taken in',
    file: 'src/cli/move/parcel.ts',
    find: "if (end.sha256 !== hash.digest('hex') || ",
    put: 'if (',
    test: 'test/cli/move.test.ts',
    red: /an export in which a value was changed/,
  },
  {
    breaks: 'an export does not mind who else was there',
    file: 'src/cli/move/still.ts',
    find: 'if (!isStill) throw',
    put: 'if (queue === undefined) throw',
    test: 'test/cli/move.test.ts',
    red: /jobs that come, change/,
  },
]
