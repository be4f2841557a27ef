import { Parser } from 'htmlparser2'

/** What a page says of itself. */
export type Facts = {
  title?: string
  description?: string
  language?: string
  headings: { level: number; text: string }[]
  /** Where it leads: absolute, each once. */
  links: string[]
}

const TEXT_MAX = 300
const HEADINGS_MAX = 20
const LINKS_MAX = 500
const LINK_MAX = 2000
/** As deep as browsers go, about. Every tag costs the parser as much as stands open around it. */
const DEPTH_MAX = 500
const HEADING = /^h([1-3])$/
const META_CHARSET = /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i
const MARKS: Readonly<Record<string, string>> = { fffe: 'utf-16le', feff: 'utf-16be' }
/** Said by a page that could be read so far, it is wrong. */
const WIDE = /^utf-?16/i

/** Reads a page by its tags, in one pass. */
export function readFacts(html: string, url: URL): Facts {
  const facts: Facts = { headings: [], links: [] }
  const links = new Set<string>()
  let base = url
  let text: string | undefined
  let language: string | undefined
  let depth = 0
  const parser = new Parser({
    onopentag(name, attributes) {
      // What was read so far is what there is.
      if (++depth > DEPTH_MAX) return parser.pause()
      if (name === 'html') language = attributes['lang']
      else if (name === 'base') base = URL.parse(attributes['href'] ?? '', url) ?? base
      else if (name === 'meta' && isDescription(attributes))
        facts.description ??= tidy(attributes['content'] ?? '')
      else if (name === 'a') {
        const link = URL.parse(attributes['href'] ?? '', base)
        if (link && attributes['href'] && links.size < LINKS_MAX) add(links, plain(link))
      }
      if (name === 'title' || HEADING.test(name)) text = ''
    },
    ontext(part) {
      if (text !== undefined && text.length < TEXT_MAX) text += part
    },
    onclosetag(name) {
      depth--
      const level = HEADING.exec(name)?.[1]
      if (text === undefined || (name !== 'title' && level === undefined)) return
      const said = tidy(text)
      text = undefined
      if (said === '') return
      if (level === undefined) facts.title ??= said
      else if (facts.headings.length < HEADINGS_MAX)
        facts.headings.push({ level: Number(level), text: said })
    },
  })
  parser.end(html)
  facts.links = [...links].filter((link) => link.startsWith('http'))
  if (language) facts.language = tidy(language, 35)
  return facts
}

/** A page as text, in the encoding that its first bytes, its header, or it itself name (HTML, 13.2.3.2). */
export function decode(body: Buffer, charset: string): string {
  const own = META_CHARSET.exec(body.toString('latin1', 0, 1024))?.[1] ?? 'utf-8'
  const named = MARKS[body.toString('hex', 0, 2)] ?? (charset || (WIDE.test(own) ? 'utf-8' : own))
  try {
    return new TextDecoder(named).decode(body)
  } catch {
    return new TextDecoder().decode(body)
  }
}

const isDescription = ({ name, property }: Record<string, string | undefined>) =>
  name?.toLowerCase() === 'description' || property?.toLowerCase() === 'og:description'

const tidy = (text: string, most = TEXT_MAX) => cut(text.replaceAll(/\s+/g, ' ').trim(), most)

/** Half a character at the end goes with its other half. */
const cut = (text: string, most: number) => text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '')

function add(links: Set<string>, link: string): void {
  if (link.length <= LINK_MAX) links.add(link)
}

function plain(link: URL): string {
  link.hash = ''
  return link.href
}
