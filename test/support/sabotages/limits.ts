import { POSTGRES, REDIS, type Sabotage, SQLITE } from './sabotage.ts'

const GIVEN_BACK = /C17 whatever a job leaves gives its place/
const ONE_PLACE = /C17 no more jobs of a key run than it has places/
const COUNTED = /C17 a key takes no more than may wait/

export const OF_LIMITS: readonly Sabotage[] = [
  {
    breaks: 'SQLite does not give a place back',
    file: 'src/store/sqlite/limits.ts',
    find: 'this.#counts(key, turn).places--',
    put: '',
    test: SQLITE,
    red: GIVEN_BACK,
  },
  {
    breaks: 'SQLite gives one place to two jobs',
    file: 'src/store/sqlite/limits.ts',
    find: '.places >= running\n',
    put: '.places > running\n',
    test: SQLITE,
    red: ONE_PLACE,
  },
  {
    breaks: 'SQLite does not count who waits',
    file: 'src/store/sqlite/limits.ts',
    find: 'if (pending !== undefined) this.#counts(key, turn).pending += by',
    put: 'if (pending !== undefined) this.#counts(key, turn).pending += 0 * by',
    test: SQLITE,
    red: COUNTED,
  },
  {
    breaks: 'SQLite leaves those alone who stood behind one that was cancelled',
    file: 'src/store/sqlite/intake.ts',
    find: 'else if (row.held !== null) turn.freed.add(text(row.held))',
    put: '',
    test: SQLITE,
    red: /C17 who leaves the head of a line/,
  },
  {
    breaks: 'Redis does not give a place back',
    file: 'src/store/redis/held.lua',
    find: "count_key('places', limit.key, -count)",
    put: '',
    test: REDIS,
    red: GIVEN_BACK,
  },
  {
    breaks: 'Redis gives one place to two jobs',
    file: 'src/store/redis/held.lua',
    find: "counted('places', limit.key) + count > limit.running",
    put: "counted('places', limit.key) + count > limit.running + 1",
    test: REDIS,
    red: ONE_PLACE,
  },
  {
    breaks: 'Redis does not count who waits',
    file: 'src/store/redis/limits.lua',
    find: "count_key('pending', limit.key, by)",
    put: '',
    test: REDIS,
    red: COUNTED,
  },
  {
    breaks: 'Redis does not say that a limited job has steps or mail',
    file: 'src/store/redis/mail.lua',
    find: "if row.has.l then row.has.m = '' end",
    put: '',
    test: REDIS,
    red: /C17 a limited job comes with its steps and its mail/,
  },
  {
    breaks: 'PostgreSQL does not give a place back',
    file: 'src/store/postgres/settle.sql',
    find: 'moves := moves || errand.stir(freed, -1, null);',
    put: 'moves := moves || errand.stir(freed, 0, null);',
    test: POSTGRES,
    red: GIVEN_BACK,
  },
  {
    breaks: 'PostgreSQL gives one place to two jobs',
    file: 'src/store/postgres/limit.sql',
    find: 'select l.key, sum(alike.many)\n',
    put: 'select l.key, 0 * sum(alike.many)\n',
    test: POSTGRES,
    red: ONE_PLACE,
  },
  {
    breaks: 'PostgreSQL does not count who waits',
    file: 'src/store/postgres/limit.sql',
    find: '(11::smallint, in_pending, l.pending)',
    put: '(11::smallint, 0, l.pending)',
    test: POSTGRES,
    red: COUNTED,
  },
  {
    breaks: 'PostgreSQL hands no place on in a call over several queues',
    file: 'src/store/postgres/counting.sql',
    find: 'is_mixed := is_mixed or one.queue <> first;',
    put: 'if one.queue <> first then perform errand.count_queues(in_slot, moves); return; end if;',
    test: POSTGRES,
    red: /C17 jobs with keys and without come in together/,
  },
]
