import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { account, greetPostgres, type PostgresServer } from './postgres.ts'
import { freePort, freshFolder, Server } from './server.ts'

/** Few, so that every one is lent to many. */
export const CONNECTIONS = 3

/** A PgBouncer before a server: each transaction is lent one of its connections. */
export class Pooler extends Server {
  protected readonly options = account()

  static async start(server: PostgresServer): Promise<Pooler> {
    const pooler = new Pooler(freshFolder('pooler'), await freePort())
    pooler.#configure(server.port)
    return pooler.start()
  }

  get url(): string {
    return `postgres://errand@127.0.0.1:${this.port}/postgres`
  }

  protected get command(): readonly string[] {
    return ['/usr/sbin/pgbouncer', '--quiet', join(this.folder, 'pooler.ini')]
  }

  protected greet(): Promise<void> {
    return greetPostgres(this.url)
  }

  #configure(port: number): void {
    const { uid, gid } = this.options
    if (uid !== undefined && gid !== undefined) chownSync(this.folder, uid, gid)
    const users = join(this.folder, 'users.txt')
    writeFileSync(users, '"errand" ""\n')
    writeFileSync(
      join(this.folder, 'pooler.ini'),
      `[databases]
       * = host=127.0.0.1 port=${port} user=errand
       [pgbouncer]
       listen_addr = 127.0.0.1
       listen_port = ${this.port}
       unix_socket_dir =
       auth_type = any
       auth_file = ${users}
       pool_mode = transaction
       default_pool_size = ${CONNECTIONS}
       max_client_conn = 100
      `.replaceAll(/^ +/gm, ''),
    )
  }
}
