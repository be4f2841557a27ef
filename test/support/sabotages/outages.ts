import { OUTAGES, type Sabotage } from './sabotage.ts'

/** What holds while a store is away. */
export const IN_OUTAGES: readonly Sabotage[] = [
  {
    breaks: 'what Redis rings is not heard any more once the line was cut',
    file: 'src/store/redis/bells.ts',
    find: "client.on('ready', () => {",
    put: "client.once('ready', () => {",
    test: OUTAGES,
    red: /rings again/,
  },
  {
    breaks: 'what PostgreSQL rings is not heard any more once the line was cut',
    file: 'src/store/postgres/bells.ts',
    find: '      void this.#connect()\n    }, AGAIN_MS)',
    put: '    }, AGAIN_MS)',
    test: OUTAGES,
    red: /rings again/,
  },
  {
    breaks: 'the client of Redis tells a terminal of every line that fails',
    file: 'src/store/redis/wire.ts',
    find: "return client.on('error', () => undefined)",
    put: 'return client',
    test: OUTAGES,
    red: /leaves it to whoever calls/,
  },
  {
    breaks: 'a connection to PostgreSQL that fails between two calls ends the process',
    file: 'src/store/postgres/connection.ts',
    find: "      .on('error', hear)\n",
    put: '',
    test: OUTAGES,
    red: /leaves it to whoever calls/,
  },
  {
    breaks: 'connections to a PostgreSQL that is gone without a word are kept',
    file: 'src/store/postgres/connection.ts',
    find: '    for (const socket of this.#sockets) socket.destroy()\n',
    put: '',
    test: OUTAGES,
    red: /leaves no connection behind/,
  },
]
