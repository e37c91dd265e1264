// SPDX-License-Identifier: Apache-2.0
// Numbers and times for people.
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const dayYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })
const fine = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 4 })

type When = string | number | Date
const dateOf = (when: When) => (when instanceof Date ? when : new Date(when))

export const clockTime = (when: When) => clock.format(dateOf(when))
export const shortDay = (when: When) => day.format(dateOf(when))
// "14:03" today, "3 Dec 14:03" else.
export function shortTime(when: When, now: When = Date.now()): string {
  const [date, today] = [dateOf(when), dateOf(now)]
  if (date.toDateString() === today.toDateString()) return minute.format(date)
  const format = date.getFullYear() === today.getFullYear() ? day : dayYear
  return `${format.format(date)} ${minute.format(date)}`
}
// On an axis that spans so many milliseconds: a day where it spans days, else a time.
export const axisTime = (when: number, spans: number) => (spans > 172_800_000 ? day : minute).format(when)
// "1:40", "2:05:00": how far into something.
export function elapsed(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}
export const utcTime = (when: When) => dateOf(when).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC')

export const count = (value: number) => whole.format(value)
export const figure = (value: number) => fine.format(value)
export const percent = (value: number) => `${fine.format(value)} %`

const UNITS: [number, string][] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']]
// "3 d 4 h", "2 min 5 s", "0 s".
export function span(milliseconds: number): string {
  const words: string[] = []
  let rest = Math.abs(milliseconds)
  for (const [size, unit] of UNITS) {
    const n = Math.floor(rest / size)
    if (n > 0) words.push(`${n} ${unit}`)
    rest -= n * size
    if (words.length === 2 || (words.length === 1 && n === 0)) break
  }
  return words.join(' ') || '0 s'
}
export const since = (when: When, now: When = Date.now()) => span(dateOf(now).getTime() - dateOf(when).getTime())
export const plural = (n: number, one: string, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`
// "rolling_out", "step-back" as words.
export const words = (name: string) => name.replaceAll(/[_-]/g, ' ')
