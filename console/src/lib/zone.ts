// SPDX-License-Identifier: Apache-2.0
// Dates in a region's own time.
const formats = new Map<string, Intl.DateTimeFormat>()
function partsIn(zone: string, when: number): Record<string, number> {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
    formats.set(zone, format)
  }
  return Object.fromEntries(format.formatToParts(when).map(({ type, value }) => [type, Number(value)]))
}
// How far the zone's clock is ahead of UTC then.
function aheadOf(zone: string, when: number): number {
  const { year, month, day, hour, minute, second } = partsIn(zone, when)
  return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(when / 1000) * 1000
}
// The first midnight in the zone at or after `when`.
export function midnightFrom(zone: string, when: number): number {
  const local = when + aheadOf(zone, when)
  const midnight = Math.ceil(local / 86_400_000) * 86_400_000
  const guess = midnight - aheadOf(zone, when)
  return midnight - aheadOf(zone, guess)
}
export function textIn(zone: string, when: number | string, options: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options }).format(new Date(when))
}
