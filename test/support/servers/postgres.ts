import { spawnSync } from 'node:child_process'
import { chownSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { childrenOf } from '../command.ts'
import { freePort, freshFolder, Server } from './server.ts'

/** Debian keeps them out of the path; elsewhere they are in it. `POSTGRES_BIN` names those of another release. */
const BIN = process.env.POSTGRES_BIN ?? globSync('/usr/lib/postgresql/*/bin').toSorted().at(-1)
const tool = (name: string) => (BIN === undefined ? name : join(BIN, name))

/** After a kill it syncs its file system at once, not its thousand files one by one: a second less. */
const QUICK_START = 'recovery_init_sync_method=syncfs'

/** PostgreSQL refuses to run as root: there it runs as the user its package made. */
export function account(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

/** A PostgreSQL at its own defaults: every commit is on disk before it is answered. */
export class PostgresServer extends Server {
  protected readonly options = account()
  readonly #more: readonly string[]

  private constructor(folder: string, port: number, more: readonly string[]) {
    super(folder, port)
    this.#more = more
  }

  /** `more` are settings: `max_connections=8`. */
  static async start(...more: string[]): Promise<PostgresServer> {
    const server = new PostgresServer(freshFolder('postgres'), await freePort(), more)
    server.#initialise()
    return server.start()
  }

  get url(): string {
    return `postgres://errand@127.0.0.1:${this.port}/postgres`
  }

  protected get command(): readonly string[] {
    const settings = [`port=${this.port}`, 'listen_addresses=127.0.0.1', QUICK_START, ...this.#more]
    const place = ['-D', this.folder, '-k', this.folder]
    return [tool('postgres'), ...place, ...settings.flatMap((setting) => ['-c', setting])]
  }

  /** Its backends, which would finish what they are at before they notice that it is gone. */
  protected override get helpers(): readonly number[] {
    return childrenOf(this.pid).map(({ pid }) => pid)
  }

  protected greet(): Promise<void> {
    return greetPostgres(this.url)
  }

  #initialise(): void {
    const { uid, gid } = this.options
    if (uid !== undefined && gid !== undefined) chownSync(this.folder, uid, gid)
    const args = ['-D', this.folder, '-U', 'errand', '--auth=trust', '-E', 'UTF8', '--no-sync']
    const made = spawnSync(tool('initdb'), [...args, '--locale=C'], {
      ...this.options,
      encoding: 'utf8',
    })
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}${String(made.error)}`)
  }
}

/** Throws until whoever stands there answers a query. */
export async function greetPostgres(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
  } finally {
    await client.end()
  }
}
