// SPDX-License-Identifier: Apache-2.0
// Where the console shows what a record is about: "event/winter-raid" is a page.
import { href } from './router.svelte'

export function placeOf(subject: string): string | undefined {
  const slash = subject.indexOf('/')
  const [kind, name] = [subject.slice(0, slash), subject.slice(slash + 1)]
  if (kind === 'event') return href('events', name)
  if (kind === 'flag') return name.startsWith('config.') ? href('flags', 'config', name.slice(7)) : href('flags', name)
  if (kind === 'config') return href('flags', 'config', name)
  if (kind === 'fleet') return href('fleets', name)
  if (kind === 'drill') return href('drills', name)
  return undefined
}
