// SPDX-License-Identifier: Apache-2.0
// Pixels in memory: tens of thousands of small rectangles in a millisecond or two, which a canvas's own calls would take
// ten times as long for.
type Rgb = [number, number, number]

export function rgbOf(css: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (css.match(/[\d.]+/g) ?? []).map(Number)
  // "color(srgb 0.1 0.2 0.3)" counts to 1, "rgb(1 2 3)" to 255.
  return css.startsWith('color') ? [red * 255, green * 255, blue * 255] : [red, green, blue]
}

// As it looks over a ground, packed as pixels are in memory.
export function inkOf(colour: Rgb, ground: Rgb, alpha = 1): number {
  const [red, green, blue] = colour.map((part, i) => Math.round(part * alpha + ground[i]! * (1 - alpha)))
  return ((255 << 24) | (blue! << 16) | (green! << 8) | red!) >>> 0
}

export class Raster {
  readonly image: ImageData
  readonly #pixels: Uint32Array
  constructor(
    readonly width: number,
    readonly height: number,
    readonly scale: number,
  ) {
    this.image = new ImageData(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)))
    this.#pixels = new Uint32Array(this.image.data.buffer)
  }
  fill(x: number, y: number, width: number, height: number, ink: number) {
    const { width: across, height: down } = this.image
    const left = Math.round(x * this.scale)
    const top = Math.round(y * this.scale)
    const right = Math.min(across, Math.max(left + 1, Math.round((x + width) * this.scale)))
    const bottom = Math.min(down, Math.max(top + 1, Math.round((y + height) * this.scale)))
    const pixels = this.#pixels
    for (let row = top * across; row < bottom * across; row += across) {
      for (let at = row + left; at < row + right; ++at) pixels[at] = ink
    }
  }
}
