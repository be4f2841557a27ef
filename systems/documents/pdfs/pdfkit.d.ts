/** The part of pdfkit that `pdf.ts` uses; the package brings no types of its own. */
declare module 'pdfkit' {
  import type { Readable } from 'node:stream'

  type TextOptions = {
    width?: number
    height?: number
    align?: 'left' | 'right' | 'center' | 'justify'
    lineGap?: number
    lineBreak?: boolean
    characterSpacing?: number
  }

  type Options = {
    size: 'A4'
    margins: { top: number; bottom: number; left: number; right: number }
    bufferPages: boolean
    info: { Title: string; Author: string; Subject: string; CreationDate: Date }
    lang: string
  }

  export default class PDFDocument extends Readable {
    x: number
    y: number
    readonly page: { width: number; height: number; margins: { bottom: number } }
    constructor(options: Options)
    font(name: string): this
    fontSize(size: number): this
    fillColor(color: string): this
    text(text: string, options?: TextOptions): this
    text(text: string, x: number, y: number, options?: TextOptions): this
    heightOfString(text: string, options?: TextOptions): number
    moveDown(lines?: number): this
    rect(x: number, y: number, width: number, height: number): this
    moveTo(x: number, y: number): this
    lineTo(x: number, y: number): this
    lineWidth(width: number): this
    fill(color: string): this
    stroke(color: string): this
    addPage(): this
    bufferedPageRange(): { start: number; count: number }
    switchToPage(page: number): this
    end(): void
  }
}
