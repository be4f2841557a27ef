import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { readStores } from '../support/stores.ts'

const RUN = resolve(import.meta.dirname, '../../bench/chaos/schedules.ts')
const SHORT = ['--seconds', '10', '--workers', '2', '--schedules', '10']

for (const store of readStores())
  test(`every moment is fired exactly once while workers are killed (${store})`, async () => {
    const args = ['--no-warnings', RUN, '--store', store, ...SHORT]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => said.push(chunk.toString()))
    const [code] = await once(child, 'exit')
    assert.equal(code, 0, said.join(''))
  })
