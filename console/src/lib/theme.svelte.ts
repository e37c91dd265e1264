// SPDX-License-Identifier: Apache-2.0
// Light, dark, or as the system says. Kept in this browser alone.
export type Theme = 'system' | 'light' | 'dark'

const dark = matchMedia('(prefers-color-scheme: dark)')

class ThemeChoice {
  chosen = $state<Theme>('system')
  // What is seen: for canvases, which no style sheet reaches.
  seen = $state<'light' | 'dark'>('light')

  begin() {
    const kept = localStorage.getItem('theme')
    this.choose(kept === 'light' || kept === 'dark' ? kept : 'system')
    dark.addEventListener('change', () => this.choose(this.chosen))
  }
  choose(theme: Theme) {
    this.chosen = theme
    this.seen = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme
    if (theme === 'system') {
      delete document.documentElement.dataset.theme
      localStorage.removeItem('theme')
    } else {
      document.documentElement.dataset.theme = theme
      localStorage.setItem('theme', theme)
    }
  }
}

export const theme = new ThemeChoice()

// A colour of app.css as canvases want it; read again when theme.seen changes.
export function colour(name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(--${name})`
  probe.hidden = true
  document.body.append(probe)
  const value = getComputedStyle(probe).color
  probe.remove()
  return value
}
