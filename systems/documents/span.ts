const UNITS_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `'30d'` in milliseconds. */
export function spanMs(span: string): number {
  const [, amount = '', unit = ''] = /^(\d+)(ms|[smhd])$/.exec(span) ?? []
  return Number(amount) * (UNITS_MS[unit] ?? 0)
}
