import type { JobView } from '../job/view.ts'
import { isEnded } from '../job/state.ts'
import type { Links } from './links.ts'
import type { JobJson } from './schemas.ts'

export const pathOf = (id: string): string => `/v1/jobs/${id}`

/** A job as JSON: the view, with links to what may be done next and to its files. */
export function toResource(view: JobView, links: Links): JobJson {
  const { artifacts, ...rest } = view
  const { id, state } = rest
  const self = pathOf(id)
  return {
    ...rest,
    ...(artifacts && { artifacts: toArtifacts(view, links) }),
    links: {
      self,
      events: `${self}/events`,
      artifacts: `${self}/artifacts`,
      ...(!isEnded(state) && { cancel: `${self}/cancel` }),
      ...((state === 'failed' || state === 'cancelled') && { retry: `${self}/retry` }),
    },
  }
}

/** The files of a job, each with a signed link. */
export const toArtifacts = ({ id, artifacts = [] }: JobView, links: Links) =>
  artifacts.map((artifact) => ({ ...artifact, url: links.sign(id, artifact.file) }))
