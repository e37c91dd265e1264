// SPDX-License-Identifier: Apache-2.0
// Durations as manifests and the API write them: "1h30m", "20s239ms".
const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

export function milliseconds(text: string): number {
  let sum = 0
  for (const [, value, unit] of text.matchAll(/([\d.]+)(ms|s|m|h|d|w)/g)) sum += Number(value) * UNITS[unit!]!
  return sum
}
