/** Rows under headings, columns as wide as they need; all but the first are set to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column]))))
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
  const rule = widths.map((count) => '─'.repeat(count))
  return [line(headings), rule, ...rows.map(line)].map((cells) => cells.join('  ')).join('\n')
}

const width = (cell: string | undefined) => cell?.length ?? 0

/** A figure short enough to compare by eye: `134.2 k`, `812`, `0.534`. */
export function figure(value: number): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} k`
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
