// oxlint-disable-next-line import/no-unassigned-import -- settings are read when the system is loaded
import './quick.ts'
import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { open } from '../../../src/index.ts'
import { paymentsApp } from '../../../systems/payments/app.ts'
import { create } from '../../../systems/payments/contract.ts'
import { openGround } from '../../support/ground.ts'
import { readStores } from '../../support/stores.ts'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { SEAL_KEYS } from '../stage.ts'
import { GOOD, openBank, request } from './setup.ts'

/** What must be found nowhere: an account, a name, a reference of a row, and one of the whole. */
const SECRETS = [GOOD, 'Person 1', 'row 1', 'November salaries', 'a wrong name in a reason']

for (const name of readStores())
  describe(`on the disk of ${name}`, () => {
    test('no bank data lies in the clear: waiting, under way, failed or done', async () => {
      using folder = mkdtempDisposableSync(join(tmpdir(), 'errand-private-'))
      await using ground = await openGround(name)
      await using bank = await openBank()
      const app = paymentsApp(bank.url)
      await using errand = await open(ground.fresh(folder.path), {
        jobs: app.jobs,
        files: `file:${folder.path}/files`,
        sealKeys: SEAL_KEYS,
      })
      const at = [folder.path, ...(ground.server ? [ground.server.folder] : [])]
      const pass = await errand.enqueue(create, request(200))
      assert.ok(bytesIn(at) > 0)
      assert.deepEqual(found(at), [], 'waiting')
      await bank.script({
        method: 'POST',
        path: '/mass-payments',
        skip: 1,
        times: 1,
        status: 400,
        body: { error: { message: 'a wrong name in a reason' } },
      })
      await using worker = await work(errand, app)
      await errand.ended(pass.id, 10_000)
      const failed = await errand.enqueue(create, request(200))
      const { error } = await errand.ended(failed.id, 10_000)
      assert.match(error?.message ?? '', /a wrong name/)
      assert.notEqual(worker.id, '')
      assert.deepEqual(found(at), [], 'ended')
    })
  })

const filesIn = (folders: readonly string[]) =>
  folders.flatMap((folder) =>
    globSync('**/*', { cwd: folder })
      .map((file) => join(folder, file))
      .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile()),
  )
const bytesIn = (folders: readonly string[]) =>
  filesIn(folders).reduce((sum, file) => sum + readFileSync(file).length, 0)
const found = (folders: readonly string[]) =>
  filesIn(folders).flatMap((file) => {
    const bytes = readFileSync(file)
    return SECRETS.filter((secret) => bytes.includes(secret)).map(
      (secret) => `${secret} in ${file}`,
    )
  })

async function work(errand: Awaited<ReturnType<typeof open>>, app: ReturnType<typeof paymentsApp>) {
  const worker = await errand.work(app)
  return { id: worker.id, [Symbol.asyncDispose]: async () => void (await worker.stop()) }
}
