import type { App } from 'errand'

/** Below a start page that all share: the page at the root of this system leads back to it. */
export const leadingHome = (app: App): App => ({
  ...app,
  async routes(routes, desk) {
    routes.get('/', async (c, next) => {
      await next()
      const html = await c.res.text()
      c.res = new Response(html.replace('<header>', `<header>${WAY_HOME}`), c.res)
    })
    await app.routes?.(routes, desk)
  },
})

const WAY_HOME = '<a class="home" href="/">All systems</a>'
