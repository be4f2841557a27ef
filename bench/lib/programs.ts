import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Measurement } from './report.ts'

/** A folder of this run's own, removed when it goes out of scope. */
export const temporaryFolder = () => mkdtempDisposable(join(tmpdir(), 'errand-bench-'))

/** Runs a program of `bench/` in a fresh process on a fresh folder, and reads what it measured. */
export async function runProgram(file: string, args: readonly string[]): Promise<Measurement[]> {
  await using folder = await temporaryFolder()
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  const child = spawn(process.execPath, ['--no-warnings', path, ...args], {
    cwd: folder.path,
    env: { ...process.env, TMPDIR: folder.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const measured: Measurement[] = []
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{')) measured.push(JSON.parse(line))
  const [code] = await exited
  if (code !== 0) throw new Error(`${file} ended with ${code}`)
  return measured
}
