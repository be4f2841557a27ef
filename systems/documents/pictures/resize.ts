import type { Pixels } from './png.ts'

/** Light adds up; the numbers in a file do not: they are spaced as eyes see. */
const LIGHT = Float64Array.from({ length: 256 }, (_, i) => {
  const value = i / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
})

const toByte = (light: number) => {
  const value = light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055
  return Math.round(Math.min(1, Math.max(0, value)) * 255)
}

/** Each pixel of the smaller picture is the light of the area that it stands for. */
export function resize({ width, height, data }: Pixels, to: number): Pixels {
  const tall = Math.max(1, Math.round((height * to) / width))
  const out = new Uint8Array(to * tall * 4)
  for (let y = 0; y < tall; y++)
    for (let x = 0; x < to; x++) {
      const left = (x * width) / to
      const right = ((x + 1) * width) / to
      const top = (y * height) / tall
      const bottom = ((y + 1) * height) / tall
      let [red, green, blue, alpha, area] = [0, 0, 0, 0, 0]
      for (let v = Math.floor(top); v < bottom; v++) {
        const high = Math.min(v + 1, bottom) - Math.max(v, top)
        for (let u = Math.floor(left); u < right; u++) {
          const share = high * (Math.min(u + 1, right) - Math.max(u, left))
          const at = (v * width + u) * 4
          const seen = share * ((data[at + 3] ?? 0) / 255)
          red += seen * (LIGHT[data[at] ?? 0] ?? 0)
          green += seen * (LIGHT[data[at + 1] ?? 0] ?? 0)
          blue += seen * (LIGHT[data[at + 2] ?? 0] ?? 0)
          alpha += seen
          area += share
        }
      }
      const place = (y * to + x) * 4
      const of = alpha === 0 ? 1 : alpha
      out.set([toByte(red / of), toByte(green / of), toByte(blue / of)], place)
      out[place + 3] = Math.round((alpha / area) * 255)
    }
  return { width: to, height: tall, data: out }
}
