import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { html, raw } from 'hono/html'
import type { Env } from './app.ts'
import type { Parts } from './parts.ts'

const STYLE = `
:root { color-scheme: light dark; font: 17px/1.6 system-ui, sans-serif }
body { max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem }
h1 { margin: 0; font-size: 2.2rem; letter-spacing: -0.03em }
p { margin: .2rem 0 2rem; opacity: .7 }
ul { margin: 0; padding: 0; list-style: none }
a { display: flex; gap: 1rem; padding: .7rem 0; color: inherit; text-decoration: none }
li { border-top: 1px solid #8883 }
a:hover, a:focus-visible { color: light-dark(#0b57d0, #8ab4f8) }
b { flex: 0 0 9rem; font-weight: 600 }
`

// The policy admits these very bytes, so they stand outside of what a formatter may touch.
const SHEET = raw(`<style>${STYLE}</style>`)
const HASH = createHash('sha256').update(STYLE).digest('base64')
const POLICY = `default-src 'none'; frame-ancestors 'none'; style-src 'sha256-${HASH}'`

/** The page at `/`: where to go from here. */
export const start = ({ app, settings: { version } }: Parts) => {
  const apps = [app, ...(app.apps ?? [])]
  const places = [
    ...apps.flatMap(({ mount, about = 'the app' }) => (mount ? [[mount, about] as const] : [])),
    ['/health', 'how it stands'],
    ['/metrics', 'figures for Prometheus'],
    ['/openapi.json', 'the API, as OpenAPI 3.1'],
  ] as const
  const page = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>Errand</title>
      ${SHEET}
      <h1>Errand</h1>
      <p>Background jobs, version ${version}.</p>
      <ul>
        ${places.map(
          ([path, what]) =>
            html`<li>
              <a href="${path}"><b>${path}</b>${what}</a>
            </li>`,
        )}
      </ul>
    </html>`
  return new Hono<Env>().get('/', (c) => c.html(page, 200, { 'content-security-policy': POLICY }))
}
