import { readFileSync } from 'node:fs'
import type { App } from 'errand'

type Routes = Parameters<NonNullable<App['routes']>>[0]

const FILES = [
  ['/', 'page.html', 'text/html; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/page.svg', 'page.svg', 'image/svg+xml'],
] as const

/** The files as they lie in `page/`: no script or style stands inside the HTML. */
export function servePage(app: Routes): void {
  for (const [path, file, type] of FILES) {
    const text = readFileSync(new URL(`page/${file}`, import.meta.url), 'utf8')
    app.get(path, (c) => c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' }))
  }
}
