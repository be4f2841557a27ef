import { POSTGRES, REDIS, type Sabotage, SQLITE } from './sabotage.ts'

const LEAVES = /C7 none leaves/
const RINGS = /C9 those who listen hear that a queue was resumed/
const TURNS = /C7 other queues take turns/

export const ON_PAUSES: readonly Sabotage[] = [
  {
    breaks: 'SQLite hands jobs out of a queue that is paused',
    file: 'src/store/sqlite/exchange.ts',
    find: 'return paused.size === 0 ? queues : queues.filter((queue) => !paused.has(queue))',
    put: 'return paused.size === 0 ? queues : queues',
    test: SQLITE,
    red: LEAVES,
  },
  {
    breaks: 'Redis hands jobs out of a queue that is paused',
    file: 'src/store/redis/exchange.lua',
    find: 'if #names == 0 then return queues end',
    put: 'if true then return queues end',
    test: REDIS,
    red: LEAVES,
  },
  {
    breaks: 'PostgreSQL hands jobs out of a queue that is paused to who names it',
    file: 'src/store/postgres/exchange.sql',
    find: 'then errand.unpaused(queues)',
    put: 'then queues',
    test: POSTGRES,
    red: LEAVES,
  },
  {
    breaks: 'PostgreSQL hands jobs out of a queue that is paused to who names none',
    file: 'src/store/postgres/claim.sql',
    find: '  found_queues := errand.unpaused(found_queues);\n',
    put: '',
    test: POSTGRES,
    red: LEAVES,
  },
  {
    breaks: 'PostgreSQL gives the turns of a queue that is paused to the one after it',
    file: 'src/store/postgres/claim.sql',
    find: `  found_queues := errand.unpaused(found_queues);
  many := cardinality(found_queues);
`,
    put: `  many := cardinality(found_queues);
  found_queues := errand.unpaused(found_queues);
`,
    test: POSTGRES,
    red: TURNS,
  },
  {
    breaks: 'SQLite tells nobody that a queue was resumed',
    file: 'src/store/sqlite/cabinet.ts',
    find: "if (isResumed) turn.ring('ready')",
    put: '',
    test: SQLITE,
    red: RINGS,
  },
  {
    breaks: 'PostgreSQL tells nobody that a queue was resumed',
    file: 'src/store/postgres/put.sql',
    find: 'if moves is not null or is_resumed then',
    put: 'if moves is not null then',
    test: POSTGRES,
    red: RINGS,
  },
]
