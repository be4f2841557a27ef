/** A line as RFC 4180 has it. What a spreadsheet would take for a formula is made a text. */
export const csvLine = (cells: readonly (string | number)[]): string =>
  `${cells.map((cell) => quote(`${cell}`)).join(',')}\r\n`

const FORMULA = /^[=+\-@\t\r]/
const quote = (cell: string): string => {
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
