import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { App } from 'errand'

type Routes = Parameters<NonNullable<App['routes']>>[0]

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * Serves a folder of files as they lie there, `page.html` at the root: no script or style stands inside the HTML.
 * Beside them lie `look.css`, in which all the systems are dressed, `call.js`, by which their pages ask, and
 * `focus.js`, by which they are worked by keyboard.
 */
export function servePage(app: Routes, folder: URL): void {
  const files = readdirSync(fileURLToPath(folder)).map((file) => new URL(file, folder))
  const shared = ['look.css', 'call.js', 'focus.js'].map((file) => new URL(file, import.meta.url))
  for (const url of [...files, ...shared]) {
    const file = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
    const type = TYPES[extname(file)] ?? 'application/octet-stream'
    const text = readFileSync(url, 'utf8')
    app.get(file === 'page.html' ? '/' : `/${file}`, (c) =>
      c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' }),
    )
  }
}
