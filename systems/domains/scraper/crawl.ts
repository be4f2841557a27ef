import type { Context } from 'errand'
import type { z } from 'zod'
import type { DomainFacts, DomainInput, PageFacts } from '../contract.ts'
import { PageError } from './error.ts'
import { decode, type Facts, readFacts } from './facts.ts'
import type { Page, Web } from './web.ts'

type Means = Pick<Context, 'step' | 'progress' | 'signal' | 'warn'> & { web: Web }
type Read = Facts & { url: string; status: number; redirects: number; bytes: number }

const SAMPLE = 20
const FOLLOWED_MAX = 200
/** A page is remembered with all of them, and a step holds so much. */
const FOLLOWED_LENGTH = 100_000

/**
 * Reads a domain: its first page, then pages that it links to, a step each, so that a run that was cut off goes on with
 * the next. Without its first page it has failed; of others it is said why they could not be read.
 * @throws PageError
 */
export async function crawl(
  { domain, max_pages: most }: z.infer<typeof DomainInput>,
  { web, step, progress, signal, warn }: Means,
): Promise<DomainFacts> {
  const tell = (done: number, url: string) => progress({ done, total: most, status: url })
  tell(0, `https://${domain}/`)
  const home = await step('page 1', async () => toRead(await web.home(domain, signal)))
  const { host } = new URL(home.url)
  const isOwn = (link: string) => URL.parse(link)?.host === host
  const next = home.links.filter((link) => isOwn(link) && link !== home.url)
  const pages: z.infer<typeof PageFacts>[] = [toPage(home)]
  for (const url of next.slice(0, most - 1)) {
    tell(pages.length, url)
    const page = await step(`page ${pages.length + 1}`, () => readOr(url, web, signal))
    if (page.error) warn(page.error.code, url)
    pages.push(page)
  }
  tell(pages.length, 'done')
  const { title, description, language, headings, links, redirects } = home
  const internal = links.filter(isOwn).length
  return {
    domain,
    url: home.url,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(language !== undefined && { language }),
    headings,
    links: { internal, external: links.length - internal, sample: links.slice(0, SAMPLE) },
    redirects,
    bytes: pages.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    pages,
  }
}

async function readOr(
  url: string,
  web: Web,
  signal: AbortSignal,
): Promise<z.infer<typeof PageFacts>> {
  try {
    return toPage(toRead(await web.read(new URL(url), signal)))
  } catch (error) {
    if (!(error instanceof PageError)) throw error
    return { url, error: { code: error.code, message: error.message } }
  }
}

function toRead({ url, status, redirects, body, charset }: Page): Read {
  const facts = readFacts(decode(body, charset), url)
  let length = 0
  const links = facts.links
    .slice(0, FOLLOWED_MAX)
    .filter((link) => (length += link.length) <= FOLLOWED_LENGTH)
  return { ...facts, links, url: url.href, status, redirects, bytes: body.length }
}

const toPage = ({ url, status, title, bytes }: Read) => ({
  url,
  status,
  ...(title !== undefined && { title }),
  bytes,
})
