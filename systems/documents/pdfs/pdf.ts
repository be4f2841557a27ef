import type { Readable } from 'node:stream'
import PDFDocument from 'pdfkit'
import type { ProjectDocument, Section } from '../documents.ts'

const INK = '#1d2733'
const QUIET = '#66727f'
const ACCENT = '#0f5e63'
const RULE = '#d8dee3'
const PAPER = '#ffffff'

const MARGIN = 64
const BAND = 186

/** A document as PDF pages, and how many there are. The same document always gives the same bytes. */
export function renderPdf(document: ProjectDocument): { content: Readable; pages: number } {
  const pdf = new PDFDocument({
    size: 'A4',
    margins: { top: 84, bottom: 84, left: MARGIN, right: MARGIN },
    bufferPages: true, // page numbers say "of n", which is known at the end only
    lang: 'en',
    info: {
      Title: `${document.project}: ${document.title}`,
      Author: document.team,
      Subject: document.summary,
      CreationDate: new Date(document.updatedAt),
    },
  })
  drawTitle(pdf, document)
  drawFacts(pdf, document)
  drawSummary(pdf, document)
  for (const [i, section] of document.sections.entries()) drawSection(pdf, section, i + 1)
  const pages = drawPageNumbers(pdf, document)
  pdf.end()
  return { content: pdf, pages }
}

const innerWidth = (pdf: PDFDocument) => pdf.page.width - 2 * MARGIN

function drawTitle(pdf: PDFDocument, { project, title, reference }: ProjectDocument): void {
  const width = innerWidth(pdf)
  pdf.rect(0, 0, pdf.page.width, BAND).fill(ACCENT)
  pdf.font('Helvetica-Bold').fontSize(9).fillColor('#a9d3d1')
  pdf.text(reference, MARGIN, 48, { characterSpacing: 1.2 })
  pdf.font('Helvetica-Bold').fontSize(30).fillColor(PAPER)
  pdf.text(title, MARGIN, 76, { width })
  pdf.font('Helvetica').fontSize(15).fillColor('#dcefed')
  pdf.moveDown(0.3).text(project, { width })
  pdf.y = BAND + 32
}

function drawFacts(pdf: PDFDocument, document: ProjectDocument): void {
  const day = new Date(document.updatedAt)
  const facts = [
    ['Prepared by', document.team],
    ['Region', document.region],
    ['Version', document.version],
    ['Last changed', day.toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' })],
  ] as const
  for (const [name, value] of facts) {
    const { y } = pdf
    pdf.font('Helvetica').fontSize(9.5).fillColor(QUIET).text(name, MARGIN, y)
    pdf
      .font('Helvetica-Bold')
      .fillColor(INK)
      .text(value, MARGIN + 110, y)
    drawRule(pdf, pdf.y + 6)
    pdf.y += 13
  }
  pdf.x = MARGIN
}

function drawSummary(pdf: PDFDocument, { summary }: ProjectDocument): void {
  pdf.y += 14
  pdf.font('Helvetica').fontSize(13).fillColor(ACCENT)
  pdf.text(summary, MARGIN, pdf.y, { width: innerWidth(pdf), lineGap: 5 })
  pdf.y += 10
}

function drawSection(pdf: PDFDocument, { heading, paragraphs }: Section, number: number): void {
  keepTogether(pdf, 96)
  pdf.y += 18
  const { y } = pdf
  pdf.font('Helvetica-Bold').fontSize(14).fillColor(ACCENT).text(`${number}`, MARGIN, y)
  pdf.fillColor(INK).text(heading, MARGIN + 26, y)
  pdf.y += 6
  pdf.font('Times-Roman').fontSize(11.5).fillColor(INK)
  for (const paragraph of paragraphs) {
    pdf.text(paragraph, MARGIN + 26, pdf.y, { width: innerWidth(pdf) - 26, lineGap: 4 })
    pdf.y += 8
  }
}

/** A heading must not stand alone at the foot of a page. */
function keepTogether(pdf: PDFDocument, height: number): void {
  if (pdf.y + height > pdf.page.height - pdf.page.margins.bottom) pdf.addPage()
}

function drawPageNumbers(pdf: PDFDocument, { reference, project }: ProjectDocument): number {
  const { count } = pdf.bufferedPageRange()
  for (let page = 0; page < count; page++) {
    pdf.switchToPage(page)
    // Text below the margin would begin another page.
    pdf.page.margins.bottom = 0
    const y = pdf.page.height - 48
    drawRule(pdf, y - 12)
    pdf.font('Helvetica').fontSize(8.5).fillColor(QUIET)
    pdf.text(`${project}  ·  ${reference}`, MARGIN, y, { lineBreak: false })
    pdf.text(`Page ${page + 1} of ${count}`, MARGIN, y, { width: innerWidth(pdf), align: 'right' })
  }
  return count
}

function drawRule(pdf: PDFDocument, y: number): void {
  pdf
    .moveTo(MARGIN, y)
    .lineTo(pdf.page.width - MARGIN, y)
    .lineWidth(0.6)
    .stroke(RULE)
}
