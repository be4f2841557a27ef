import { extname } from 'node:path'
import type { Facts } from './contract.ts'

const BEGINNINGS = {
  pdf: Buffer.from('%PDF-'),
  png: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
}

const ENDINGS: Record<string, Facts['type']> = {
  '.pdf': 'pdf',
  '.png': 'png',
  '.csv': 'csv',
  '.txt': 'text',
  '.md': 'text',
}

/** What a file is: what its name says, if its content agrees. */
export function typeOf(name: string, content: Uint8Array): Facts['type'] | undefined {
  const type = ENDINGS[extname(name).toLowerCase()]
  if (type === undefined || content.length === 0) return undefined
  if (type === 'pdf' || type === 'png')
    return startsWith(content, BEGINNINGS[type]) ? type : undefined
  return isText(content) ? type : undefined
}

const startsWith = (content: Uint8Array, beginning: Uint8Array) =>
  Buffer.compare(content.subarray(0, beginning.length), beginning) === 0

function isText(content: Uint8Array): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(content).includes('\0')
  } catch {
    return false
  }
}
