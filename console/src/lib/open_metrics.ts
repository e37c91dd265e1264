// SPDX-License-Identifier: Apache-2.0
// /metrics as the server tells it to anybody: the health page has no numbers of its own.
export interface Sample {
  labels: Record<string, string>
  value: number
}
export interface Histogram {
  count: number
  sum: number
  // Rising: how many took at most so long.
  buckets: [number, number][]
}
export type Metrics = Map<string, Sample[]>

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g

export function readMetrics(text: string): Metrics {
  const metrics: Metrics = new Map()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    // An exemplar follows " # ".
    const found = LINE.exec(line)
    if (!found) continue
    const labels: Record<string, string> = {}
    for (const [, name, value] of (found[2] ?? '').matchAll(LABEL)) labels[name!] = value!.replaceAll(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c))
    const rows = metrics.get(found[1]!) ?? []
    rows.push({ labels, value: found[3] === '+Inf' ? Infinity : Number(found[3]) })
    metrics.set(found[1]!, rows)
  }
  return metrics
}

// A counter may be told with or without "_total".
export const rowsOf = (metrics: Metrics, name: string): Sample[] => metrics.get(name) ?? metrics.get(name + '_total') ?? []
export const total = (metrics: Metrics, name: string, wanted: (labels: Record<string, string>) => boolean = () => true) =>
  rowsOf(metrics, name).filter((row) => wanted(row.labels)).reduce((sum, row) => sum + row.value, 0)

export function histogram(metrics: Metrics, name: string): Histogram {
  const buckets = new Map<number, number>()
  for (const row of rowsOf(metrics, name + '_bucket')) {
    const bound = row.labels.le === '+Inf' ? Infinity : Number(row.labels.le)
    buckets.set(bound, (buckets.get(bound) ?? 0) + row.value)
  }
  return { count: total(metrics, name + '_count'), sum: total(metrics, name + '_sum'), buckets: [...buckets].sort((a, b) => a[0] - b[0]) }
}

// The least bound that so many of a histogram stay within; undefined: it is empty.
export function atMost(found: Histogram, share: number): number | undefined {
  if (found.count === 0) return undefined
  return found.buckets.find(([, below]) => below >= share * found.count)?.[0]
}
