// SPDX-License-Identifier: Apache-2.0
// Addresses of the console: /console/PAGE/SUBJECT?QUERY. The server gives the page for all of them, so that each can be
// sent to somebody. Links are plain anchors; a click on one of ours changes the page without loading it.
export const BASE = '/console/'

class Router {
  // ['events', 'winter-raid'] at /console/events/winter-raid.
  parts = $state.raw<string[]>([])
  query = $state.raw(new URLSearchParams())

  begin() {
    this.#read()
    addEventListener('popstate', () => this.#read())
    document.addEventListener('click', (click) => {
      const anchor = click.target instanceof Element ? click.target.closest('a') : null
      if (!anchor || anchor.origin !== location.origin || !anchor.pathname.startsWith(BASE) || anchor.target) return
      if (click.defaultPrevented || click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey) return
      click.preventDefault()
      this.go(anchor.pathname + anchor.search)
    })
  }
  go(address: string) {
    history.pushState(null, '', address)
    this.#read()
    scrollTo(0, 0)
  }
  // Changes what is after the "?", without a step back to what was there.
  choose(name: string, value: string) {
    const query = new URLSearchParams(location.search)
    if (value) query.set(name, value)
    else query.delete(name)
    history.replaceState(null, '', location.pathname + (query.size ? `?${query}` : ''))
    this.#read()
  }
  #read() {
    const rest = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : ''
    this.parts = rest.split('/').filter(Boolean).map(decodeURIComponent)
    this.query = new URLSearchParams(location.search)
  }
}

export const router = new Router()

export function href(...parts: string[]): string {
  return BASE + parts.map(encodeURIComponent).join('/')
}
