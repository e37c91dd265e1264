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
  { name: 'events', title: 'Events', icon: 'event', load: () => import('./pages/Events.svelte') },
]
