import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { test } from 'node:test'

const RUN = resolve(import.meta.dirname, '../../bench/chaos/run.ts')
const SHORT = ['--seconds', '15', '--rate', '12', '--systems', 'errand', '--no-save']

test('a quarter of a minute of kills, freezes and restarts breaks nothing', async () => {
  const child = spawn(process.execPath, ['--no-warnings', RUN, ...SHORT], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => said.push(chunk.toString()))
  const [code] = await once(child, 'exit')
  assert.equal(code, 0, said.join(''))
})
