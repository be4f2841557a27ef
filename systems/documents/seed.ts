import type { NewDocument } from './documents.ts'
import { KINDS, type Project } from './seed-texts.ts'

/** Ten invented projects; each has five documents. Names are of teams and places only. */
const PROJECTS: readonly Project[] = [
  {
    code: 'WRM',
    name: 'Warm Homes on Fixed Rents',
    team: 'Energy and Tenancy Unit',
    region: 'Northern Valleys',
    topic: 'the cost of heating in older rented homes',
    homes: 420,
    partner: 'two local housing associations',
    measure: 'indoor temperature and monthly energy cost',
  },
  {
    code: 'LFT',
    name: 'Lifts and Later Life',
    team: 'Ageing in Place Group',
    region: 'Harbour District',
    topic: 'access to upper floors for residents over seventy',
    homes: 185,
    partner: 'the district council',
    measure: 'trips out of the home in a week',
  },
  {
    code: 'STU',
    name: 'Student Lets, Family Streets',
    team: 'Neighbourhood Change Unit',
    region: 'University Quarter',
    topic: 'turnover of lets in streets near the campus',
    homes: 610,
    partner: 'the residents’ forum',
    measure: 'length of tenancy and reasons for moving',
  },
  {
    code: 'DMP',
    name: 'Damp and Repair Response',
    team: 'Building Condition Group',
    region: 'River Towns',
    topic: 'the time from a report of damp to a lasting repair',
    homes: 340,
    partner: 'three landlords’ repair services',
    measure: 'days to first visit and return of the fault',
  },
  {
    code: 'MOD',
    name: 'Modular Infill Pilot',
    team: 'Supply and Land Unit',
    region: 'Rail Corridor',
    topic: 'small modular homes on leftover plots',
    homes: 72,
    partner: 'the regional land agency',
    measure: 'cost per home and months to completion',
  },
  {
    code: 'SHR',
    name: 'Sharing by Choice',
    team: 'Household Formation Group',
    region: 'Inner Ring',
    topic: 'adults under forty who share a home they did not grow up in',
    homes: 255,
    partner: 'a shared-housing cooperative',
    measure: 'housing cost ratio and satisfaction',
  },
  {
    code: 'RUR',
    name: 'Rural Keyworker Housing',
    team: 'Regional Programmes',
    region: 'Upper Plains',
    topic: 'homes for nurses and teachers in small towns',
    homes: 130,
    partner: 'the regional health service',
    measure: 'vacancies filled and length of stay',
  },
  {
    code: 'EVC',
    name: 'After an Eviction Notice',
    team: 'Energy and Tenancy Unit',
    region: 'Metropolitan Area',
    topic: 'what households do in the ninety days after a notice',
    homes: 290,
    partner: 'four advice centres',
    measure: 'place of stay at thirty, sixty and ninety days',
  },
  {
    code: 'GRN',
    name: 'Shared Gardens, Shared Care',
    team: 'Neighbourhood Change Unit',
    region: 'Eastern Estates',
    topic: 'the upkeep of common green space by residents',
    homes: 500,
    partner: 'the estates’ residents’ boards',
    measure: 'hours of upkeep and use of the space',
  },
  {
    code: 'RET',
    name: 'Retrofit Without Moving Out',
    team: 'Building Condition Group',
    region: 'Old Town',
    topic: 'deep retrofit while households stay at home',
    homes: 96,
    partner: 'the city’s renewal office',
    measure: 'days of disruption and energy saved',
  },
]

const DAY_MS = 86_400_000
const FIRST = Date.UTC(2026, 1, 2)

/** The fifty documents a fresh database holds. The last of them is an outline without text. */
export function seed(): NewDocument[] {
  const documents = PROJECTS.flatMap((project, row) =>
    KINDS.map((kind, column): NewDocument => ({
      reference: `${project.code}-${column + 1}`,
      title: kind.title,
      project: project.name,
      team: project.team,
      region: project.region,
      version: `${1 + (column % 3)}.${(row * 3 + column) % 5}`,
      updatedAt: new Date(FIRST + (row * 11 + column * 17) * DAY_MS).toISOString().slice(0, 10),
      summary: kind.summary(project),
      sections: kind.sections(project),
    })),
  )
  const outline = { ...documents.pop()!, title: 'Closing report (outline)', sections: [] }
  return [...documents, outline]
}
