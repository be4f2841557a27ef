import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { readStores } from '../support/stores.ts'

const RUN = resolve(import.meta.dirname, '../../bench/rates/run.ts')

for (const store of readStores())
  test(`three workers on ${store} never call more often than their limit says, though one is killed`, async () => {
    const args = ['--store', store, '--calls', '60', '--rate', '20/500ms', '--kill']
    const child = spawn(process.execPath, ['--no-warnings', RUN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => said.push(chunk.toString()))
    const [code] = await once(child, 'exit')
    assert.equal(code, 0, said.join(''))
  })
