import { Hono } from 'hono'
import { z } from 'zod'
import { Books } from './books.ts'

const Request = z.object({
  mp_uuid: z.uuid(),
  client_id: z.string(),
  external_reference: z.string(),
  payments: z.array(z.looseObject({ iban: z.string(), currency: z.string() })).min(1),
})
const Mode = z.object({ async: z.boolean(), work_ms: z.int().min(0).default(2000) })
const Paging = z.object({
  page: z.coerce.number().int().min(1).default(1),
  page_size: z.coerce.number().int().min(1).max(1000).default(20),
})

/**
 * Stands in for the backend in which mass payments live. It answers when it is done, or, told so by
 * `PUT /stand-in-mode {"async": true, "work_ms": 2000}`, at once, and works in its own time.
 */
export function openBackend(location: string): Hono {
  const books = new Books(location)
  let mode: z.infer<typeof Mode> = { async: false, work_ms: 0 }
  const complain = (message: string) => ({ error: { message } })

  return new Hono()
    .put('/stand-in-mode', async (c) => c.json((mode = Mode.parse(await c.req.json()))))
    .post('/mass-payments', async (c) => {
      const { data } = Request.safeParse(await c.req.json())
      if (data === undefined) return c.json(complain('the request does not fit'), 400)
      return c.json(books.add(data, data.payments, mode), mode.async ? 202 : 201)
    })
    .get('/mass-payments', (c) => {
      const query = c.req.query()
      return c.json(books.list({ ...query, ...Paging.parse(query) }))
    })
    .post('/mass-payments/:id/:act{confirm|cancel}', (c) => {
      const { id, act } = c.req.param()
      const isCancel = act === 'cancel'
      const to = isCancel ? 'cancelled' : mode.async ? 'creating' : 'created'
      const found = books.one(id)
      if (found === undefined) return c.json(complain('there is no such mass payment'), 404)
      if (isCancel && found.status === 'cancelled') return c.json(found)
      if (!books.move(id, 'processed', to, mode))
        return c.json(complain(`a mass payment that is ${found.status} takes no ${act}`), 409)
      return c.json(books.one(id))
    })
    .get('/mass-payments/:id/:what{errors|payments}', (c) => {
      const { id, what } = c.req.param()
      return c.json(books.rows(id, what === 'errors', Paging.parse(c.req.query())))
    })
}
