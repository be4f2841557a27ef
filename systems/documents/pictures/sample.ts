import { encodePng } from './png.ts'

/** A picture to try the pipeline with: hills at dusk, drawn from two curves. */
export function samplePicture(width = 1200, height = 800): Buffer {
  const data = new Uint8Array(width * height * 4)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set(colourAt(x / width, y / height), (y * width + x) * 4)
  return encodePng({ width, height, data })
}

function colourAt(x: number, y: number): [number, number, number, number] {
  const far = 0.55 + 0.08 * Math.sin(x * 7) + 0.03 * Math.sin(x * 19)
  const near = 0.72 + 0.1 * Math.sin(x * 4 + 1.3) + 0.02 * Math.sin(x * 31)
  if (y > near) return [15, 70, 74, 255]
  if (y > far) return [47, 118, 120, 255]
  const sun = Math.hypot((x - 0.7) * 1.5, y - 0.36)
  if (sun < 0.09) return [255, 228, 170, 255]
  return [
    Math.round(250 - 90 * y),
    Math.round(190 - 40 * (1 - y)),
    Math.round(150 + 50 * (1 - y)),
    255,
  ]
}
