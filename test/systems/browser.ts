import { chromium, type BrowserContextOptions, type Page } from 'playwright-core'
import { listen } from '../../src/http/listen.ts'

const CHROMIUM = {
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
}

/** A server's page in a real browser, and whatever its console had to complain about. */
export async function browse(
  server: Parameters<typeof listen>[0],
  path: string,
  options: BrowserContextOptions = {},
) {
  const listening = await listen(server, { host: '127.0.0.1', port: 0, isOpen: false })
  const seen = await visit(`${listening.url}${path}`, options)
  return {
    ...seen,
    url: listening.url,
    async [Symbol.asyncDispose]() {
      await seen[Symbol.asyncDispose]()
      await listening.close(1000)
    },
  }
}

/** The same of a server that listens already. */
export async function visit(url: string, options: BrowserContextOptions = {}) {
  const browser = await chromium.launch(CHROMIUM)
  const page = await browser.newPage(options)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()))
  await page.goto(url)
  return { page, complaints, [Symbol.asyncDispose]: () => browser.close() }
}

/** The kind of element that has the focus, as soon as the page was drawn: `BODY` where it is lost. */
export const focusIn = (page: Page) =>
  page.evaluate(`new Promise((tell) => {
    const look = () => tell(document.activeElement.tagName)
    requestAnimationFrame(() => requestAnimationFrame(look))
  })`)
