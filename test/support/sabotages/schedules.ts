import { POSTGRES, REDIS, type Sabotage, SQLITE } from './sabotage.ts'

/** Whoever comes second, believing what was, fires again. */
const LOOKS = /C18 (?:an entry|of fifty)/

export const ON_SCHEDULES: readonly Sabotage[] = [
  {
    breaks: 'SQLite puts an entry that stands otherwise than its caller thinks',
    file: 'src/store/sqlite/cabinet.ts',
    find: "if (there?.stamp !== expect) return { refused: 'changed' }",
    put: '',
    test: SQLITE,
    red: LOOKS,
  },
  {
    breaks: 'Redis puts an entry that stands otherwise than its caller thinks',
    file: 'src/store/redis/put.lua',
    find: "if stands ~= expect then return 'c' end",
    put: '',
    test: REDIS,
    red: LOOKS,
  },
  {
    breaks: 'PostgreSQL puts an entry that stands otherwise than its caller thinks',
    file: 'src/store/postgres/put.sql',
    find: "if there.stamp is distinct from (change ->> 'expect')::uuid then return; end if;",
    put: '',
    test: POSTGRES,
    red: LOOKS,
  },
  {
    breaks: 'Redis takes the repeat of a change for another change',
    file: 'src/store/redis/put.lua',
    find: "if stands == stamp or not (there or value) then return 'r' end",
    put: '',
    test: REDIS,
    red: /C18 a repeat/,
  },
  {
    breaks: 'SQLite brings the jobs of a change again when it is repeated',
    file: 'src/store/sqlite/cabinet.ts',
    find: 'return { jobs: jobs.map(({ id }) => ({ id, joined: false })) }',
    put: 'return { jobs: jobs.map((job) => this.#inserting.run(job, turn)) }',
    test: SQLITE,
    red: /C18 a repeat/,
  },
  {
    breaks: 'PostgreSQL takes any number of entries',
    file: 'src/store/postgres/put.sql',
    find: '>= entries_max then',
    put: '< 0 then',
    test: POSTGRES,
    red: /C18 of one kind/,
  },
  {
    breaks: 'SQLite tells nobody that an entry is wanted sooner',
    file: 'src/store/sqlite/cabinet.ts',
    find: "if (isSooner(there, value && { at })) turn.ring('entry')",
    put: '',
    test: SQLITE,
    red: /C18 those who listen/,
  },
  {
    breaks: 'Redis forgets when an entry was wanted',
    file: 'src/store/redis/put.lua',
    find: "redis.call('ZADD', due, moment, name) else",
    put: 'do end else',
    test: REDIS,
    red: /C18 /,
  },
]
