// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and what they may do: buttons that would be refused are not alive.
import { SvelteMap } from 'svelte/reactivity'
import { get, onSignedOut, path, post, Problem, send } from './api'
import type { Actor } from './types'

class Session {
  // undefined: not known yet; null: nobody.
  actor = $state.raw<Actor | null | undefined>()
  why = $state('')
  #rights = new SvelteMap<string, string[]>()
  #asked = new Set<string>()

  constructor() {
    onSignedOut((problem) => this.#end(this.actor ? problem.message : ''))
  }

  async begin() {
    try {
      this.actor = await get<Actor>('/api/v1/whoami')
      this.why = ''
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) {
        this.why = error instanceof Error ? error.message : String(error)
        setTimeout(() => this.actor === undefined && this.begin(), 2000)
      }
    }
  }
  async signIn(token: string) {
    await post<Actor>('/api/v1/session', { token })
    this.#forgetRights()
    await this.begin()
  }
  async signOut() {
    await send('/api/v1/session', { method: 'DELETE' })
    this.#end('')
  }
  // May they do this to what `owner` owns (empty: to the whole house)? No, until it is known.
  may(verb: string, owner = ''): boolean {
    if (!this.#asked.has(owner)) this.#ask(owner)
    return this.#rights.get(owner)?.includes(verb) ?? false
  }
  // Roles have changed: ask again.
  refreshRights() {
    for (const owner of this.#asked) this.#ask(owner)
  }

  #ask(owner: string) {
    this.#asked.add(owner)
    get<Actor>(path`/api/v1/whoami?owner=${owner}`).then(
      (actor) => this.#rights.set(owner, actor.may ?? []),
      () => this.#asked.delete(owner),
    )
  }
  #end(why: string) {
    this.actor = null
    this.why = why
    this.#forgetRights()
  }
  #forgetRights() {
    this.#rights.clear()
    this.#asked.clear()
  }
}

export const session = new Session()
