import type { ProjectDocument } from '../documents.ts'

export type Value = string | number
export type Row = Record<string, Value>
export type Column = { key: string; header: string; width: number }

/** Columns, and rows as they come: nobody holds them all. */
export type Table = {
  name: string
  columns: readonly Column[]
  total: number
  rows: AsyncIterable<Row> | Iterable<Row>
}

export function documentsTable(documents: readonly ProjectDocument[]): Table {
  return {
    name: 'Documents',
    columns: [
      { key: 'reference', header: 'Reference', width: 14 },
      { key: 'title', header: 'Title', width: 28 },
      { key: 'project', header: 'Project', width: 34 },
      { key: 'team', header: 'Team', width: 28 },
      { key: 'region', header: 'Region', width: 22 },
      { key: 'version', header: 'Version', width: 10 },
      { key: 'updatedAt', header: 'Changed', width: 14 },
    ],
    total: documents.length,
    rows: documents.map(({ reference, title, project, team, region, version, updatedAt }) => {
      return { reference, title, project, team, region, version, updatedAt }
    }),
  }
}

const PROJECTS = ['WRM', 'LFT', 'STU', 'DMP', 'MOD', 'RTR', 'GRD', 'KEY', 'SHR', 'CLS']
const FROM = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

/** Hourly measurements in the homes of the projects: as many as are asked for, and always the same ones. */
export function readingsTable(total: number): Table {
  return {
    name: 'Readings',
    columns: [
      { key: 'number', header: 'Number', width: 10 },
      { key: 'project', header: 'Project', width: 10 },
      { key: 'home', header: 'Home', width: 12 },
      { key: 'at', header: 'Measured at', width: 22 },
      { key: 'indoor', header: 'Indoor °C', width: 10 },
      { key: 'outdoor', header: 'Outdoor °C', width: 10 },
      { key: 'energy', header: 'Energy kWh', width: 12 },
      { key: 'remark', header: 'Remark', width: 34 },
    ],
    total,
    rows: readings(total),
  }
}

function* readings(total: number): Generator<Row> {
  for (let i = 0; i < total; i++) {
    const hour = Math.floor(i / 500)
    const season = Math.cos((hour / 8766) * 2 * Math.PI)
    const outdoor = round(9 - 9 * season + 4 * Math.sin((hour / 24) * 2 * Math.PI))
    const indoor = round(19 + ((i * 37) % 40) / 10 - (outdoor < 0 ? 1.2 : 0))
    yield {
      number: i + 1,
      project: PROJECTS[i % PROJECTS.length] ?? '',
      home: `home-${String(i % 500).padStart(4, '0')}`,
      at: new Date(FROM + hour * HOUR_MS).toISOString(),
      indoor,
      outdoor,
      energy: round(Math.max(0, (indoor - outdoor) * 0.11)),
      remark: indoor < 19 ? 'below what was agreed upon' : 'as agreed upon',
    }
  }
}

const round = (value: number) => Math.round(value * 100) / 100
