import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { Proxy } from './proxy.ts'
import { eventually } from './until.ts'

/** A server that says everything back, and rings for what it hears. */
class Echo implements AsyncDisposable {
  readonly #server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  readonly #sockets = new Set<Socket>()
  readonly heard: string[] = []
  readonly ears = new EventEmitter()

  static async open(): Promise<Echo> {
    const echo = new Echo()
    await once(echo.#server.listen(0, '127.0.0.1'), 'listening')
    return echo
  }

  get port(): number {
    const address = this.#server.address()
    assert(typeof address === 'object' && address !== null)
    return address.port
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket.on('error', () => undefined))
    socket.on('end', () => this.ears.emit('ended'))
    socket.on('data', (chunk) => {
      this.heard.push(chunk.toString())
      this.ears.emit('heard')
      socket.write(chunk)
    })
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** A client that waits for each reply. */
class Caller implements Disposable {
  readonly #socket: Socket
  /** With which code its connection broke. */
  readonly broken: Promise<unknown>

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.broken = new Promise((resolve) =>
      this.#socket.on('error', (error) => resolve('code' in error && error.code)),
    )
  }

  say(text: string): void {
    this.#socket.write(text)
  }

  async hear(): Promise<string> {
    const [chunk] = await once(this.#socket, 'data')
    return String(chunk)
  }

  ask(text: string): Promise<string> {
    const reply = this.hear()
    this.say(text)
    return reply
  }

  /** All that comes until the server hangs up. */
  async rest(): Promise<string> {
    let text = ''
    for await (const chunk of this.#socket) text += String(chunk)
    return text
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

const TIMEOUT = { timeout: 10_000 }

test('a line that is well brings every request and its reply', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  using caller = new Caller(proxy.port)
  assert.deepEqual([await caller.ask('one'), await caller.ask('two')], ['one', 'two'])
  assert.equal(proxy.lines, 1)
})

test('a line that refuses lets nobody in and leaves who is in', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  using caller = new Caller(proxy.port)
  await caller.ask('one')
  proxy.refuse()
  using refused = new Caller(proxy.port)
  assert.equal(await refused.broken, 'ECONNREFUSED')
  assert.equal(await caller.ask('two'), 'two')
  await proxy.pass()
  using other = new Caller(proxy.port)
  assert.equal(await other.ask('three'), 'three')
})

test('a line that is cut resets every connection, and takes new ones', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  using one = new Caller(proxy.port)
  using two = new Caller(proxy.port)
  await Promise.all([one.ask('one'), two.ask('two')])
  proxy.cut()
  assert.deepEqual([await one.broken, await two.broken], ['ECONNRESET', 'ECONNRESET'])
  using other = new Caller(proxy.port)
  assert.equal(await other.ask('three'), 'three')
})

test(
  'a frozen line takes connections and holds everything back until it passes',
  TIMEOUT,
  async () => {
    await using echo = await Echo.open()
    await using proxy = await Proxy.open(echo.port)
    using caller = new Caller(proxy.port)
    await caller.ask('one')
    proxy.freeze()
    using late = new Caller(proxy.port)
    const replies = [caller.ask('two'), late.ask('three')]
    using direct = new Caller(echo.port)
    await direct.ask('past it')
    assert.deepEqual(echo.heard, ['one', 'past it'])
    await proxy.pass()
    assert.deepEqual(await Promise.all(replies), ['two', 'three'])
  },
)

test('a line that drops replies brings requests all the same', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  using caller = new Caller(proxy.port)
  await caller.ask('one')
  proxy.dropReplies()
  const arrived = once(echo.ears, 'heard')
  caller.say('two')
  await arrived
  echo.hangUp()
  assert.deepEqual([echo.heard, await caller.rest()], [['one', 'two'], ''])
})

test('a request that is cut does not arrive, and those before it do', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  using caller = new Caller(proxy.port)
  await caller.ask('one')
  proxy.cutRequest(2)
  assert.equal(await caller.ask('two'), 'two')
  caller.say('three')
  assert.equal(await caller.broken, 'ECONNRESET')
  using again = new Caller(proxy.port)
  assert.equal(await again.ask('three again'), 'three again')
  assert.deepEqual(echo.heard, ['one', 'two', 'three again'])
})

test('a reply that is cut is the reply to a request that arrived', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  using caller = new Caller(proxy.port)
  await caller.ask('one')
  proxy.cutReply(2)
  assert.equal(await caller.ask('two'), 'two')
  caller.say('three')
  assert.equal(await caller.broken, 'ECONNRESET')
  assert.deepEqual(echo.heard, ['one', 'two', 'three'])
})

test('a slow line brings everything, later, in its order', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  using caller = new Caller(proxy.port)
  await caller.ask('one')
  proxy.delay(50)
  const from = performance.now()
  assert.equal(await caller.ask('two'), 'two')
  assert(performance.now() - from >= 95)
  await proxy.pass()
  assert.equal(await caller.ask('three'), 'three')
})

test('a server that is not there is a line that breaks', TIMEOUT, async () => {
  const echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  await echo[Symbol.asyncDispose]()
  using caller = new Caller(proxy.port)
  assert.equal(await caller.broken, 'ECONNRESET')
})

test('who hangs up is seen to hang up', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  const caller = new Caller(proxy.port)
  await caller.ask('one')
  const ended = once(echo.ears, 'ended')
  caller[Symbol.dispose]()
  await ended
})

test('a line that is cut while it is being closed is gone', TIMEOUT, async () => {
  await using echo = await Echo.open()
  await using proxy = await Proxy.open(echo.port)
  const caller = new Caller(proxy.port)
  await caller.ask('one')
  proxy.freeze()
  caller[Symbol.dispose]()
  using direct = new Caller(echo.port)
  await direct.ask('by now the proxy has seen it hang up')
  await proxy.pass()
  // Far enough for the other end to be told, and not so far that it could have been.
  for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => process.nextTick(resolve))
  proxy.cut()
  await eventually(() => proxy.lines === 0)
})
