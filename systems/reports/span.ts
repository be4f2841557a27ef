const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A span as settings say it: `90s`, `4m`, `7d`. */
export type Span = `${number}${keyof typeof UNITS}`

const SPAN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

export const isSpan = (text: string): text is Span => SPAN.test(text)

export function msOf(span: Span): number {
  const [, amount, unit] = SPAN.exec(span) ?? []
  const [, size = 1] = Object.entries(UNITS).find(([name]) => name === unit) ?? []
  return Math.round(Number(amount) * size)
}
