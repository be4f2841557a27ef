/** Sites that can be told from their names: the same name always is the same site. */
export type Site = {
  name: string
  title: string
  description: string
  language: string
  pages: string[]
}

const WORDS = [
  ['Harbour', 'Lantern', 'Meadow', 'Copper', 'Juniper', 'Granite', 'Willow', 'Saffron'],
  ['Books', 'Cycles', 'Bakery', 'Ceramics', 'Tea', 'Gardens', 'Records', 'Optics'],
] as const
const LINES = [
  'Made by hand, sent the same day.',
  'A family workshop since 1962.',
  'Everything we know, and where to find us.',
  'Small batches, long guarantees.',
] as const
const LANGUAGES = ['en', 'de', 'fr', 'en-AU', 'nl', 'es'] as const
const PAGES = ['about', 'contact', 'journal', 'shop', 'visit', 'questions'] as const

export function siteOf(name: string): Site {
  const number = sum(name)
  const pick = <T>(list: readonly T[], shift: number) => list[(number >> shift) % list.length]
  return {
    name,
    title: `${pick(WORDS[0], 0)} ${pick(WORDS[1], 3)}`,
    description: pick(LINES, 6) ?? '',
    language: pick(LANGUAGES, 8) ?? 'en',
    pages: PAGES.slice(0, 3 + ((number >> 11) % 4)),
  }
}

/** A page of a site as HTML; the first one links to all others. */
export function pageOf({ name, title, description, language, pages }: Site, path: string): string {
  const page = path.replaceAll('/', '')
  const heading = page === '' ? `Welcome to ${title}` : page
  const links = pages.map((other) => `<li><a href="/${other}">${other}</a></li>`).join('')
  return `<!doctype html>
<html lang="${language}">
<head>
  <meta charset="utf-8">
  <title>${page === '' ? title : `${page} · ${title}`}</title>
  <meta name="description" content="${description}">
</head>
<body>
  <h1>${heading}</h1>
  <p>${description}</p>
  <h2>On these pages</h2>
  <ul>${links}</ul>
  <p><a href="https://www.example.org/">Our friends</a>, <a href="mailto:hello@${name}">a letter</a></p>
</body>
</html>`
}

function sum(text: string): number {
  let number = 7
  for (const letter of text) number = (number * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003
  return number
}
