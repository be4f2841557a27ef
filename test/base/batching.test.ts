import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Batching, type Flush } from '../../src/base/batching.ts'

/** A line that doubles numbers, one trip at a time, each when the test lets it go. */
class Line {
  readonly trips: number[][] = []
  readonly #held: (() => void)[] = []
  readonly batching: Batching<number, number>
  isOpen = true

  constructor(flush?: Flush, culprit = -1, isCulprit = true) {
    const run = async (items: number[]) => {
      this.trips.push(items)
      if (!this.isOpen) await new Promise<void>((resolve) => this.#held.push(resolve))
      if (items.includes(culprit)) throw new Error(`refused ${culprit}`)
      return items.map((item) => item * 2)
    }
    this.batching = new Batching(run, () => isCulprit, flush)
  }

  letGo(): void {
    this.isOpen = true
    for (const release of this.#held.splice(0)) release()
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

test('a lone call goes at once', async () => {
  const line = new Line()
  const answer = line.batching.add(4)
  await Promise.resolve()
  assert.deepEqual(line.trips, [[4]])
  assert.equal(await answer, 8)
})

test('a few calls made while one is in flight share the next trip', async () => {
  const line = new Line()
  line.isOpen = false
  const first = line.batching.add(1)
  await Promise.resolve()
  const others = upTo(20).map((item) => line.batching.add(item))
  await Promise.resolve()
  assert.equal(line.trips.length, 1)
  line.letGo()
  assert.equal(await first, 2)
  assert.deepEqual(
    await Promise.all(others),
    upTo(20).map((item) => item * 2),
  )
  assert.deepEqual(
    line.trips.map((trip) => trip.length),
    [1, 20],
  )
})

test('a hundred calls share two trips, one prepared while the other is in flight', async () => {
  const line = new Line()
  line.isOpen = false
  const calls = upTo(100).map((item) => line.batching.add(item))
  await Promise.resolve()
  const more = upTo(100).map((item) => line.batching.add(item))
  await Promise.resolve()
  const sizes = () => line.trips.map((trip) => trip.length)
  assert.deepEqual(sizes(), [50, 50])
  line.letGo()
  await Promise.all([...calls, ...more])
  assert.deepEqual(sizes(), [50, 50, 100])
})

test('a trip takes a thousand at most', async () => {
  const line = new Line()
  await Promise.all(upTo(2500).map((item) => line.batching.add(item)))
  assert.deepEqual(
    line.trips.map((trip) => trip.length),
    [1000, 1000, 500],
  )
})

test('with a whole turn to gather, calls of later microtasks come along', async () => {
  const line = new Line('turn')
  const first = line.batching.add(1)
  await Promise.resolve()
  const second = Promise.resolve().then(() => line.batching.add(2))
  assert.deepEqual(await Promise.all([first, second]), [2, 4])
  assert.deepEqual(line.trips, [[1, 2]])
})

test('a culprit is found among ten, and only its caller hears of it', async () => {
  for (const culprit of [0, 3, 9]) {
    const line = new Line('microtask', culprit)
    const answers = await Promise.allSettled(upTo(10).map((item) => line.batching.add(item)))
    for (const [i, answer] of answers.entries())
      if (i === culprit) assert.equal(answer.status, 'rejected')
      else assert.deepEqual(answer, { status: 'fulfilled', value: i * 2 })
    assert(line.trips.length <= 9, `${line.trips.length} trips`)
  }
})

test('a failure that is no item’s fault is everybody’s, after one trip', async () => {
  const line = new Line('microtask', 3, false)
  const answers = await Promise.allSettled(upTo(10).map((item) => line.batching.add(item)))
  assert(answers.every(({ status }) => status === 'rejected'))
  assert.equal(line.trips.length, 1)
})

test('after a failure the line serves again', async () => {
  const line = new Line('microtask', 3, false)
  await assert.rejects(line.batching.add(3))
  assert.equal(await line.batching.add(4), 8)
})
