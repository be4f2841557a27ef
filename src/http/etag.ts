export const etagOf = (version: string | number): string => `"${version}"`

/** Whether an If-None-Match header names this tag; a weak one counts, as RFC 9110 has it for reads. */
export function matches(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}
