import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { brief, clean, columns, Print } from '../../src/cli/print.ts'

/** A stream that keeps what was written to it. */
class Sheet extends PassThrough {
  readonly isTTY: boolean

  readonly #depth: number

  constructor(isTTY = false, depth = 8) {
    super({ encoding: 'utf8' })
    this.isTTY = isTTY
    this.#depth = depth
  }

  getColorDepth(): number {
    return this.#depth
  }

  get text(): string {
    return String(this.read() ?? '')
  }
}

// Set where a whole run is coloured, it would win over what a terminal says of itself.
delete process.env.FORCE_COLOR

test('a table aligns its columns and ends no line with blanks', () => {
  const print = new Print(false, new Sheet())
  assert.equal(
    print.table(
      ['ID', 'STATE', ''],
      [
        ['1', 'ready', 'x'],
        ['200', 'failed', ''],
      ],
    ),
    'ID   STATE\n1    ready   x\n200  failed',
  )
})

test('colours take no room in a column', () => {
  assert.equal(
    columns([
      ['\u001b[31mab\u001b[39m', 'x'],
      ['abc', 'y'],
    ]),
    '\u001b[31mab\u001b[39m   x\nabc  y',
  )
})

test('a pipe gets no colours and no control characters', () => {
  const out = new Sheet()
  const print = new Print(false, out)
  print.clear()
  print.show(
    {},
    () => `${print.heading('a')} ${print.state('failed')} ${print.bar(3, 3, 'cyan', 3)}`,
  )
  assert.equal(out.text, 'a failed ███\n')
})

test('a terminal gets colours, unless it has none', () => {
  assert.notEqual(new Print(false, new Sheet(true)).state('failed'), 'failed')
  assert.equal(new Print(false, new Sheet(true, 1)).state('failed'), 'failed')
})

test('JSON is one document on one line in a pipe, and indented for people', () => {
  const [pipe, terminal] = [new Sheet(), new Sheet(true)]
  new Print(true, pipe).show({ a: [1] }, () => 'page')
  new Print(true, terminal).show({ a: 1 }, () => 'page')
  assert.equal(pipe.text, '{"a":[1]}\n')
  assert.equal(terminal.text, '{\n  "a": 1\n}\n')
})

test('remarks go to the error stream, and nowhere when JSON was asked for', () => {
  const [out, err] = [new Sheet(), new Sheet()]
  new Print(false, out, err).note('more')
  new Print(true, out, err).note('more')
  assert.equal(out.text, '')
  assert.equal(err.text, 'more\n')
})

test('a bar is never empty for something, never longer than its width, and empty for nothing', () => {
  const print = new Print(false, new Sheet())
  assert.equal(print.bar(1, 1_000_000, 'cyan', 10).length, 1)
  assert.equal(print.bar(5, 10, 'cyan', 10).length, 5)
  assert.equal(print.bar(99, 10, 'cyan', 10).length, 10)
  assert.equal(print.bar(0, 0, 'cyan', 10), '')
})

test('what a job says of itself cannot move the cursor', () => {
  assert.equal(clean('a\u001b[2Jb\u0007c\u009bd\nf'), 'abcd\nf')
  assert.equal(brief('one\ntwo\t three', 9), 'one two …')
})
