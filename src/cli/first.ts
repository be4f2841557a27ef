import type { App } from '../http/app.ts'
import { toJsonSchema } from '../job/schema.ts'

type Route = { method: string; path: string }

/** A first request that this app answers: a job whose schema shows an example, else a page. */
export function firstRequest(
  { jobs, mount, apps, tryFirst, authenticate }: App,
  routes: readonly Route[],
  url: string,
): string {
  if (authenticate !== undefined) return `curl -s ${url}/health/ready`
  const guest = apps?.find((app) => app.tryFirst !== undefined)
  if (guest !== undefined) return firstRequest(guest, routes, url)
  if (tryFirst !== undefined) {
    const [method = '', path = ''] = tryFirst.split(' ')
    return `curl -s -X ${method} ${url}${mount ?? ''}${path}`
  }
  for (const { name: job, input } of mount === undefined ? jobs : []) {
    const example = exampleOf(toJsonSchema(input))
    if (example === undefined) continue
    const body = JSON.stringify({ job, input: example }).replaceAll("'", String.raw`'\''`)
    return `curl -s ${url}/v1/jobs -H 'content-type: application/json' -d '${body}'`
  }
  const page = routes.find(
    ({ method, path }) => method === 'GET' && isUnder(mount, path) && !/[:*{]/.test(path),
  )
  return `curl -s ${url}${page?.path ?? '/health'}`
}

const isUnder = (mount: string | undefined, path: string) =>
  mount !== undefined && (path === mount || path.startsWith(`${mount}/`))

function exampleOf(schema: Record<string, unknown> | undefined): unknown {
  return Array.isArray(schema?.examples) ? schema.examples[0] : undefined
}
