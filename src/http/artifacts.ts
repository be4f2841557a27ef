import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Artifact, JobId } from '../job/job.ts'
import type { Env } from './app.ts'
import { json, problem } from './document.ts'
import { etagOf } from './etag.ts'
import type { Parts } from './parts.ts'
import { readRange } from './range.ts'
import { toArtifacts } from './resource.ts'
import { ArtifactPath, Artifacts, JobPath } from './schemas.ts'

/** What a browser may be told a file is. Anything else is just bytes. */
const TYPES = new Map([
  ['application/pdf', 'application/pdf'],
  ['application/json', 'application/json'],
  ['application/zip', 'application/zip'],
  ['image/png', 'image/png'],
  ['image/jpeg', 'image/jpeg'],
  ['text/csv', 'text/csv; charset=utf-8'],
  ['text/plain', 'text/plain; charset=utf-8'],
  ...['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'].map(
    (type) => [type, type] as const,
  ),
])

const bytes = {
  description: 'The file',
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
} as const

const list = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/artifacts',
  request: { params: JobPath },
  responses: {
    200: json('The files of a job, each with a signed link', Artifacts),
    default: problem,
  },
})

const download = createRoute({
  method: 'get',
  path: '/v1/jobs/{id}/artifacts/{file}',
  request: { params: ArtifactPath },
  responses: { 200: bytes, 206: { ...bytes, description: 'The part asked for' }, default: problem },
})

/** Files that jobs left: for whom a signed link was given to, and for who may see the job. */
export const artifacts = ({ errand: { watch }, links, files }: Parts) =>
  new OpenAPIHono<Env>()
    .openapi(list, async (c) => {
      const view = await watch.job(c.req.valid('param').id, c.get('caller').tenant)
      return c.json({ data: toArtifacts(view, links) }, 200)
    })
    .openapi(download, async (c) => {
      const { id, file } = c.req.valid('param')
      if (c.req.query('signature') !== undefined)
        links.check(id, file, new URL(c.req.url).searchParams)
      const artifact = await watch.artifact(id, file, c.get('caller').tenant)
      const range = rangeOf(c, artifact)
      const headers = describe(artifact, range)
      const status = range ? 206 : 200
      if (c.req.method === 'HEAD') return c.body(null, status, headers)
      const readable = await watch.filesOf(id, files, c.get('caller').tenant)
      return c.body(await readable.read(placeOf(id, artifact), range), status, headers)
    })

const placeOf = (id: JobId, { fence, file }: Artifact) => ({ id, fence, file })

/** With If-Range, a part is wanted only of the very file it was begun with. */
function rangeOf(c: Context<Env>, { bytes, sha256 }: Artifact) {
  const same = c.req.header('if-range') ?? etagOf(sha256)
  if (same !== etagOf(sha256)) return undefined
  c.header('content-range', `bytes */${bytes}`)
  const range = readRange(c.req.header('range'), bytes)
  c.header('content-range', range && `bytes ${range.from}-${range.to}/${bytes}`)
  return range
}

function describe({ file, type, bytes, sha256 }: Artifact, range?: { from: number; to: number }) {
  const essence = type.split(';')[0]?.trim().toLowerCase() ?? ''
  return {
    'content-type': TYPES.get(essence) ?? 'application/octet-stream',
    'content-length': `${range ? range.to - range.from + 1 : bytes}`,
    'content-disposition': disposition(file),
    'content-security-policy': "sandbox; default-src 'none'",
    'accept-ranges': 'bytes',
    etag: etagOf(sha256),
  }
}

/** Saved under its own name, spelt for old and for present browsers. */
function disposition(file: string): string {
  const ascii = file.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_')
  const full = encodeURIComponent(file).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16)}`,
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${full}`
}
