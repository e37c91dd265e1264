// SPDX-License-Identifier: Apache-2.0
// Every page: what it is called, where it is, what shows it. To add one, add a row; docs/development.md says the rest.
import type { Component } from 'svelte'

export interface PageProps {
  // What follows the page's name in the address: the event's name at /console/events/NAME.
  subject: string
}

export interface Page {
  name: string
  title: string
  icon: string
  // A page that shows everything of its kind has no use for a subject.
  load: () => Promise<{ default: Component<PageProps> | Component<Record<string, never>> }>
}

export const pages: Page[] = [
  { name: 'calendar', title: 'Calendar', icon: 'calendar', load: () => import('./pages/Calendar.svelte') },
  { name: 'events', title: 'Events', icon: 'event', load: () => import('./pages/Events.svelte') },
  { name: 'fleets', title: 'Fleets', icon: 'fleet', load: () => import('./pages/Fleets.svelte') },
  { name: 'incidents', title: 'Incidents', icon: 'incident', load: () => import('./pages/Incidents.svelte') },
  { name: 'flags', title: 'Flags and config', icon: 'flag', load: () => import('./pages/Flags.svelte') },
  { name: 'decisions', title: 'Decisions', icon: 'decision', load: () => import('./pages/Decisions.svelte') },
  { name: 'rehearsals', title: 'Rehearsals', icon: 'rehearsal', load: () => import('./pages/Rehearsals.svelte') },
  { name: 'drills', title: 'Drills', icon: 'drill', load: () => import('./pages/Drills.svelte') },
  { name: 'policy', title: 'Policy', icon: 'policy', load: () => import('./pages/Policy.svelte') },
  { name: 'health', title: 'Health', icon: 'health', load: () => import('./pages/Health.svelte') },
]
