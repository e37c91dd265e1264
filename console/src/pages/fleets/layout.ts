// SPDX-License-Identifier: Apache-2.0
// Where each instance of a fleet is drawn: a block a region, hosts one after another in it, cells as large as fit.
import type { FleetMap } from '../../lib/types'

export interface Block {
  region: string
  // Where its heading is, and its cells begin.
  y: number
  first: number
  count: number
}
export interface Layout {
  // Instances (indexes into the map's columns) in the order in which they are drawn.
  order: Int32Array
  blocks: Block[]
  cell: number
  columns: number
  height: number
}

const HEADING = 22
const GAP = 10
const CELL_MIN = 4
const CELL_MAX = 18

export function layoutOf(map: FleetMap, width: number, heightWanted: number): Layout {
  const { region, host, id } = map.instances
  const byRegion = map.regions.map((): number[] => [])
  for (let i = 0; i < id.length; ++i) byRegion[region[i]!]!.push(i)
  const sizes = byRegion.map((list) => list.length)
  const room = Math.max(1, heightWanted - map.regions.length * (HEADING + GAP))
  let cell = Math.min(CELL_MAX, Math.max(CELL_MIN, Math.floor(Math.sqrt((width * room) / Math.max(1, id.length)))))
  const heightAt = (size: number) => sizes.reduce((sum, n) => sum + HEADING + GAP + Math.ceil(n / Math.max(1, Math.floor(width / size))) * size, 0)
  while (cell > CELL_MIN && heightAt(cell) > heightWanted) --cell
  const columns = Math.max(1, Math.floor(width / cell))
  const order = new Int32Array(id.length)
  const blocks: Block[] = []
  let [at, y] = [0, 0]
  const regions = map.regions.map((name, i) => ({ name, i })).sort((a, b) => a.name.localeCompare(b.name))
  for (const { name, i } of regions) {
    const list = byRegion[i]!
    // The server sends them in the order of their ids: only hosts are to be put together.
    list.sort((a, b) => host[a]! - host[b]! || a - b)
    y += HEADING
    blocks.push({ region: name, y, first: at, count: list.length })
    order.set(list, at)
    at += list.length
    y += Math.ceil(list.length / columns) * cell + GAP
  }
  return { order, blocks, cell, columns, height: Math.max(y, 1) }
}

// The place (in `order`) at a point; -1: none.
export function placeAt(layout: Layout, x: number, y: number): number {
  const column = Math.floor(x / layout.cell)
  if (column < 0 || column >= layout.columns) return -1
  for (const block of layout.blocks) {
    const row = Math.floor((y - block.y) / layout.cell)
    if (row < 0) continue
    const within = row * layout.columns + column
    if (within < block.count && row * layout.cell <= y - block.y) return block.first + within
  }
  return -1
}

export function pointOf(layout: Layout, place: number): [number, number] {
  const block = layout.blocks.find((each) => place >= each.first && place < each.first + each.count)
  if (!block) return [0, 0]
  const within = place - block.first
  return [(within % layout.columns) * layout.cell, block.y + Math.floor(within / layout.columns) * layout.cell]
}
