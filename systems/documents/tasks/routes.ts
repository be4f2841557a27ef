import { type App, type Desk, ErrandError } from 'errand'
import { listed } from '../../common/listed.ts'
import { whoAsks } from '../../common/who.ts'
import type { Documents } from '../documents.ts'
import { fileTag } from '../files/contract.ts'
import { readLimit } from '../reading.ts'
import { findTask, KINDS } from './kinds.ts'
import { stepsOf } from './steps.ts'
import { toEntry, toTask } from './task.ts'

type Routes = Parameters<NonNullable<App['routes']>>[0]
const STEPS_MAX = 20

/** What was asked for, whatever it is: looked at, cancelled, tried again. */
export function taskRoutes(app: Routes, errand: Desk, documents: Documents): void {
  app.get('/tasks', async (c) => {
    const kinds = [...new Set((c.req.query('kind') ?? '').split(','))]
    const limit = readLimit(c)
    const { tenant } = whoAsks(c)
    const lists = kinds.map(async (kind) => {
      const definition = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
      if (definition === undefined)
        throw new ErrandError('INVALID_QUERY', {
          parameter: 'kind',
          problem: `is one or several of ${Object.keys(KINDS).join(', ')}`,
        })
      return listed(errand, { job: definition.name, tenant }, limit + 1)
    })
    const views = (await Promise.all(lists)).flat()
    const shown = views.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, limit)
    const data = await Promise.all(shown.map((view) => toEntry(view, errand)))
    return c.json({ data, more: views.length > limit })
  })

  app.get('/tasks/:taskId', async (c) => {
    const { tenant } = whoAsks(c)
    return c.json(await toTask(await findTask(errand, c.req.param('taskId'), tenant), errand))
  })

  app.get('/tasks/:taskId/steps', async (c) => {
    const { tenant } = whoAsks(c)
    const task = await findTask(errand, c.req.param('taskId'), tenant)
    const { jobs } = await errand.list({ tag: fileTag(task.id), tenant }, STEPS_MAX)
    return c.json({ data: stepsOf(task, jobs) })
  })

  app.post('/tasks/:taskId/:act{cancel|retry}', async (c) => {
    const { tenant } = whoAsks(c)
    const { id } = await findTask(errand, c.req.param('taskId'), tenant)
    const ended = documents.endedUnder(id)
    if (c.req.param('act') === 'cancel') await errand.cancel(id)
    else {
      await errand.retry(id)
      documents.resumed(id, ended)
    }
    const task = await findTask(errand, id, tenant)
    // Its hook says so as well, once there is a worker.
    if (task.state === 'cancelled' && task.startedAt === undefined) documents.withdrawn(id)
    return c.json(await toTask(task, errand), 202)
  })

  app.get('/schedules', async (c) => {
    const all = await errand.schedules.list(whoAsks(c).tenant)
    const ours = all.filter(({ name }) => name.startsWith('documents.'))
    return c.json({
      data: ours.map(({ name, cron, zone, nextAt, last, paused }) => {
        return { name, cron, zone, paused, next_at: nextAt, last_at: last?.at }
      }),
    })
  })
}
