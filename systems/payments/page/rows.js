const FIELDS = ['reference', 'beneficiary', 'iban', 'amount', 'currency']
const NAMES = { iban: 'the IBAN', reference: 'the reference', beneficiary: 'the beneficiary' }

/** One of five is refused: its check digits are wrong. */
export const SAMPLE = `reference,beneficiary,iban,amount,currency
S-1,Ada Byron,GB82WEST12345698765432,2450.00,EUR
S-2,Karl Weber,DE89370400440532013000,1980.50,EUR
S-3,Marie Roux,FR1420041010050500013M02606,2210.00,EUR
S-4,Jan de Vries,NL91ABNA0417164300,1875.25,EUR
S-5,Eva Lund,DE00370400440532013000,1990.00,EUR`

/** The payments of a text, and the line of each. A first line without an amount names the columns. */
export function readRows(text) {
  const lines = text
    .split(/\r?\n/)
    .map((line, i) => ({ cells: cut(line), line: i + 1, isEmpty: line.trim() === '' }))
    .filter(({ isEmpty }) => !isEmpty)
  const named = lines[0]?.cells.map((cell) => cell.toLowerCase()) ?? []
  const hasHeader = named.includes('iban')
  const fields = hasHeader ? named : FIELDS
  const rows = hasHeader ? lines.slice(1) : lines
  return {
    lines: rows.map(({ line }) => line),
    payments: rows.map(({ cells }) => {
      const row = Object.fromEntries(cells.map((cell, i) => [fields[i] ?? `column ${i + 1}`, cell]))
      if (row.reference === '') delete row.reference
      return { ...row, iban: row.iban?.replaceAll(' ', '').toUpperCase() }
    }),
  }
}

/** As people say it: how many, and how much of each currency. */
export function sumUp({ payments }) {
  const sums = new Map()
  for (const { amount, currency } of payments)
    if (/^\d{1,12}(\.\d{1,2})?$/.test(amount)) {
      const [whole, part = ''] = amount.split('.')
      const cents = BigInt(whole) * 100n + BigInt(part.padEnd(2, '0'))
      sums.set(currency, (sums.get(currency) ?? 0n) + cents)
    }
  const texts = [...sums].map(
    ([currency, cents]) =>
      `${(cents / 100n).toLocaleString()}.${`${cents % 100n}`.padStart(2, '0')} ${currency ?? ''}`,
  )
  return [many(payments.length, 'payment'), ...texts].join(' · ')
}

/** What the server did not take, by the line where it stands. */
export function sayIssue({ pointer = '', detail }, lines) {
  const [, row, field] = /^\/payments\/(\d+)(?:\/(.+))?$/.exec(pointer) ?? []
  if (row === undefined) return `The ${pointer.slice(1).replaceAll('_', ' ')}: ${detail}.`
  const what = field === undefined ? '' : ` ${NAMES[field] ?? `the ${field}`}:`
  return `Line ${lines[Number(row)]},${what} ${detail}.`.replace(/,(?! the)/, ':')
}

export const many = (count, word) => `${count.toLocaleString()} ${word}${count === 1 ? '' : 's'}`

function cut(line) {
  const mark = ['\t', ';'].find((one) => line.includes(one)) ?? ','
  const cells = ['']
  let isQuoted = false
  for (const sign of line)
    if (sign === '"') isQuoted = !isQuoted
    else if (sign === mark && !isQuoted) cells.push('')
    else cells[cells.length - 1] += sign
  return cells.map((cell) => cell.trim())
}
