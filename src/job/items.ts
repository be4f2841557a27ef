import type { Bytes } from '../base/json.ts'
import { derivedId, isId, newId } from '../base/id.ts'
import { encodeJson } from '../base/json.ts'
import type { Span } from '../base/time.ts'
import { createHash } from 'node:crypto'
import { itemId, type NewBatch } from './batch.ts'
import type { Definition } from './define.ts'
import { ErrandError } from './errors.ts'
import type { JobId, NewJob } from './job.ts'
import { limitsOfEnd } from './limits.ts'
import {
  readChoice,
  readCount,
  readSpan,
  readText,
  refuseUnknown,
  spell,
  YEAR_MS,
} from './options.ts'
import {
  encodeInput,
  type EnqueueOptions,
  type Idempotency,
  prepare,
  unchecked,
} from './prepare.ts'

/** What may be said of a batch; what is said of its items holds for each of them. */
export type BatchOptions = Pick<
  EnqueueOptions,
  'queue' | 'priority' | 'runAt' | 'delay' | 'tags' | 'expiresIn' | 'deadline' | 'limits'
> & {
  /** So many of its items run at a time. */
  concurrency?: number
  /** The caller's own UUID: sent again under it, only the items that are missing come in. */
  id?: JobId
  tenant?: string
  /** Begins no more items once more than so many have failed, or this share of all: `100`, `'5%'`. */
  stopAfter?: number | `${number}%`
  /** The job inserted by the step that ends the batch, once an ending; its input is a `BatchEnded`. */
  onEnd?: Definition
  /** How long the batch itself is shown after its end, and its items at least as their definition says; 30 days. */
  keep?: Span
  /**
   * An item that does not fit: `refuse` takes none of them, so unless said; `fail` takes all, and those that do
   * not fit fail alone (invalid_input).
   */
  invalid?: 'refuse' | 'fail'
}

const OF_ITEMS = ['queue', 'priority', 'runAt', 'delay', 'tags', 'expiresIn', 'deadline'] as const
const KNOWN = [
  ...OF_ITEMS,
  'concurrency',
  'limits',
  'id',
  'tenant',
  'stopAfter',
  'onEnd',
  'keep',
  'invalid',
]
const KEEP = '30d'
/** As much as is kept of a line that is no item. */
const EXCERPT_MAX = 1024
export const ITEMS_MAX = 1_000_000

/** A batch and how its items become jobs. */
export type PreparedBatch = {
  batch: NewBatch
  invalid: 'refuse' | 'fail'
  /** The share of its items that may fail, known as a number once they all are. */
  failedShare?: number
  /** @throws ErrandError INVALID_INPUT, UNSTORABLE_INPUT, INPUT_TOO_LARGE */
  item(index: number, input: unknown): Promise<NewJob>
  /** One that is known not to fit, as the job that fails for it. */
  misfit(index: number, input: unknown): NewJob
}

/** @throws ErrandError UNKNOWN_OPTION, INVALID_OPTION */
export function prepareBatch(
  definition: Definition,
  options: BatchOptions,
  idempotency?: Idempotency,
): PreparedBatch {
  refuseUnknown(options, KNOWN)
  const tenant = options.tenant === undefined ? '' : readText('tenant', options.tenant)
  const id = idempotency
    ? derivedId(tenant, idempotency.route, idempotency.key)
    : readBatchId(options.id)
  const { failedMax, failedShare } = readStop(options.stopAfter)
  // What two items have in common does not make them one.
  const { unique: _, ...alone } = definition
  // Keys that are made of an input are not made of one that does not fit.
  const { limits, ...unlimited } = alone
  const bare = {
    ...unlimited,
    ...(limits && { limits: { isMade: false, fixed: limits.fixed, of: () => limits.fixed } }),
  }
  const terms = {
    ...pick(options),
    ...(tenant !== '' && { tenant }),
    limits: [...(options.limits ?? []), ...ownLimit(id, options.concurrency)],
  }
  // Refused now, rather than with the first item.
  unchecked(bare, new Uint8Array(), terms)
  const toItem = (index: number, job: NewJob): NewJob => {
    const place = { batch: id, index }
    return { ...job, id: itemId(place), place }
  }
  return {
    batch: {
      id,
      job: definition.name,
      tenant,
      keepMs: readSpan('keep', options.keep ?? KEEP, { max: YEAR_MS }),
      fingerprint: printOf(definition, options),
      ...(failedMax !== undefined && { failedMax }),
      ...(options.onEnd && { end: endOf(id, tenant, definition, options.onEnd) }),
    },
    invalid: readChoice('invalid', options.invalid ?? 'refuse', ['refuse', 'fail']),
    ...(failedShare !== undefined && { failedShare }),
    item: async (index, input) => toItem(index, await prepare(alone, input, terms)),
    misfit: (index, input) => toItem(index, unchecked(bare, restOf(alone, input), terms)),
  }
}

/** @throws ErrandError INVALID_OPTION */
function ownLimit(id: JobId, concurrency: number | undefined) {
  if (concurrency === undefined) return []
  return [
    {
      key: `batch:${id}`,
      running: readCount('concurrency', concurrency, { min: 1, max: ITEMS_MAX }),
    },
  ]
}

function readBatchId(id: string | undefined): JobId {
  if (id === undefined) return newId()
  if (isId(id.toLowerCase())) return id.toLowerCase()
  throw new ErrandError('INVALID_OPTION', { option: 'id', problem: 'needs a UUID' })
}

const SHARE = /^(\d{1,3}(?:\.\d{1,3})?)%$/

function readStop(stopAfter: BatchOptions['stopAfter']) {
  if (stopAfter === undefined) return {}
  if (typeof stopAfter === 'number')
    return { failedMax: readCount('stopAfter', stopAfter, { max: ITEMS_MAX }) }
  const share = Number(SHARE.exec(stopAfter)?.[1])
  if (share <= 100) return { failedShare: share / 100 }
  throw new ErrandError('INVALID_OPTION', {
    option: 'stopAfter',
    problem: "needs a number of items, or a share such as '5%'",
  })
}

function pick(options: BatchOptions): EnqueueOptions {
  const of: Record<string, unknown> = options
  return Object.fromEntries(
    OF_ITEMS.flatMap((name) => (of[name] === undefined ? [] : [[name, of[name]]])),
  )
}

/** The id of the job at the end leaves its last digits to the count of endings. */
function endOf(batch: JobId, tenant: string, { name }: Definition, onEnd: Definition): NewJob {
  if (onEnd.unique !== undefined)
    throw new ErrandError('INVALID_OPTION', {
      option: 'onEnd',
      problem: 'must not be a unique job',
    })
  if (onEnd.policy.data === 'sealed')
    throw new ErrandError('INVALID_OPTION', {
      option: 'onEnd',
      problem: 'is given counts only, and need not be sealed',
    })
  return {
    id: derivedId('end', batch),
    job: onEnd.name,
    queue: onEnd.queue,
    tenant,
    priority: onEnd.priority,
    input: encodeJson({ batch, job: name }) ?? new Uint8Array(),
    policy: onEnd.policyBytes,
    subject: batch,
    ...limitsOfEnd('onEnd', onEnd.limits),
  }
}

/** What is kept of an item that does not fit. Of one that may carry references only, nothing. */
const restOf = ({ policy }: Pick<Definition, 'policy'>, input: unknown): Bytes =>
  policy.data === 'reference' ? NOTHING : excerpt(input)

const NOTHING = encodeJson(null) ?? new Uint8Array()

/** Of what cannot be stored as it is, its beginning as a text: the schema refuses it where it runs. */
function excerpt(input: unknown): Bytes {
  try {
    return encodeInput(input)
  } catch {
    const text = typeof input === 'string' ? input : (JSON.stringify(input) ?? '')
    return encodeJson(text.slice(0, EXCERPT_MAX).toWellFormed()) ?? new Uint8Array()
  }
}

/** Two requests under one id are the same request when this is; items are told apart by their place. */
function printOf({ name }: Definition, { id: _, onEnd, ...options }: BatchOptions): string {
  const said = `${name}\n${spell(options)}\n${onEnd?.name ?? ''}`
  const print = createHash('sha256').update(said)
  return print.digest('base64url')
}
