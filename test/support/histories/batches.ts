import * as fc from 'fast-check'
import { itemId } from '../../../src/job/batch.ts'
import type { NewJob } from '../../../src/job/job.ts'
import type { BatchChange } from '../../../src/store/contract.ts'
import * as draw from './draw.ts'
import { BATCHES, endOf, ITEMS_MAX, type Stage } from './stage.ts'
import { step } from './step.ts'

const { constantFrom, record, nat, array } = fc

const id = constantFrom(...BATCHES)
const failedMax = constantFrom(0, 1, 2)
const { fingerprint, unique, tags, delayMs } = draw.options

const change = (stage: Stage, batch: string, said: BatchChange) =>
  stage.both('changeBatch', [batch, said], stage.store.changeBatch(batch, said), () =>
    stage.model.changeBatch(batch, said),
  )

export const open = step(
  'open',
  record(
    {
      id,
      job: constantFrom('chore', 'rare'),
      tenant: draw.tenant,
      keepMs: draw.keepMs,
      failedMax,
      fingerprint,
      last: record(draw.plainJob),
    },
    { requiredKeys: ['id', 'job', 'tenant', 'keepMs'] },
  ),
  (stage, { last, ...batch }) => {
    const end = last && { end: { ...last, id: endOf(batch.id), subject: batch.id } }
    return change(stage, batch.id, { to: 'open', batch: { ...batch, ...end } })
  },
)

type Item = Omit<NewJob, 'id' | 'place'> & { index: number }
const which = { index: nat(ITEMS_MAX - 1), ...draw.plainJob }
const plainItem: fc.Arbitrary<Item> = record(which)
const item: fc.Arbitrary<Item> = record(
  { ...which, delayMs, unique, tags, fingerprint },
  { requiredKeys: ['index', 'job', 'queue', 'tenant', 'priority', 'input', 'policy'] },
)

/** Often the same again, or the same twice in one call. */
export const fill = step(
  'fill',
  record({
    batch: id,
    items: fc.oneof(
      array(plainItem, { minLength: 1, maxLength: 4 }),
      array(item, { minLength: 1, maxLength: 3 }),
    ),
  }),
  (stage, { batch, items: drawn }) => {
    const items = drawn.map(({ index, ...job }) => {
      const place = { batch, index }
      return { ...job, id: itemId(place), place }
    })
    return stage.both('fillBatch', [batch, items], stage.store.fillBatch(batch, items), () =>
      stage.model.fillBatch(batch, items),
    )
  },
)

export const close = step(
  'close',
  record({ batch: id, failedMax }, { requiredKeys: ['batch'] }),
  (stage, { batch, ...said }) => change(stage, batch, { to: 'closed', ...said }),
)

export const stop = step('stop', id, (stage, batch) =>
  change(stage, batch, { to: 'stopped', why: 'asked' }),
)

export const stopIdle = step('stop what is idle', constantFrom(20_000, 60_000), (stage, idleMs) =>
  stage.both(
    'stoppedBatches',
    [idleMs],
    stage.store.stoppedBatches(idleMs),
    () => stage.model.stoppedBatches(idleMs),
    true,
  ),
)
