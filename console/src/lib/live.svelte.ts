// SPDX-License-Identifier: Apache-2.0
// What pages show, kept true: each page says which addresses of the API it shows and which records touch them; when such a
// record comes, that address alone is asked again. A burst of records is one look a frame, and an address is asked at most
// once in REFETCH_MS however much happens.
import { get, Problem, text } from './api'
import { session } from './session.svelte'
import type { RecordView } from './types'
import { watch } from './watch'

const REFETCH_MS = 1000
// The server makes an answer once for all who ask within a second: the first one after a record may be older than the record.
const SETTLED_MS = 1100
const RECENT = 100
const HIDDEN_MS = 60_000
const LOST_MS = 1000

export interface LiveOptions {
  // Absent: no record touches it.
  touchedBy?: (record: RecordView) => boolean
  // What no record tells (players, sessions, observed states) is asked again so often, while the page is seen.
  everyMs?: number
}

export class LiveQuery<T> {
  data = $state.raw<T>()
  problem = $state.raw<Problem>()
  // Of the data.
  at = $state(0)
  #path: string | null = null
  #abort?: AbortController
  #asking = false
  #again = false
  #askedAt = 0
  #timer?: ReturnType<typeof setTimeout>
  #settling?: ReturnType<typeof setTimeout>

  constructor(readonly options: LiveOptions, readonly read: (path: string, signal: AbortSignal) => Promise<T> = get<T>) {}

  follow(path: string | null): () => void {
    if (path !== this.#path) this.data = this.problem = undefined
    this.#path = path
    if (path === null) return () => {}
    const abort = (this.#abort = new AbortController())
    this.#asking = this.#again = false
    queries.add(this as LiveQuery<unknown>)
    this.#ask()
    const beat = this.options.everyMs && setInterval(() => document.hidden || this.refresh(), this.options.everyMs)
    return () => {
      queries.delete(this as LiveQuery<unknown>)
      if (beat) clearInterval(beat)
      clearTimeout(this.#timer)
      clearTimeout(this.#settling)
      this.#timer = undefined
      abort.abort()
    }
  }

  // A record says that it is no longer so.
  touched() {
    this.refresh()
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => this.refresh(), SETTLED_MS)
  }

  refresh() {
    if (this.#path === null || this.#timer) return
    if (this.#asking) {
      this.#again = true
      return
    }
    const wait = Math.max(0, this.#askedAt + REFETCH_MS - Date.now())
    if (wait === 0) return void this.#ask()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#ask()
    }, wait)
  }

  async #ask() {
    const { signal } = this.#abort!
    this.#asking = true
    this.#askedAt = Date.now()
    try {
      const data = await this.read(this.#path!, signal)
      if (signal.aborted) return
      this.data = data
      this.at = Date.now()
      this.problem = undefined
    } catch (error) {
      if (signal.aborted) return
      // What was seen last stays; the banner says how old it is.
      const problem = error instanceof Problem ? error : new Problem(0, 'internal', String(error))
      if (!problem.unreachable || this.data === undefined) this.problem = problem
      if (problem.status === 404) this.data = undefined
    }
    this.#asking = false
    if (!this.#again) return
    this.#again = false
    this.refresh()
  }
}

const queries = new Set<LiveQuery<unknown>>()

// Call it where a component is set up. `path` may depend on state; null: nothing is wanted now.
export function live<T>(path: () => string | null, options: LiveOptions = {}): LiveQuery<T> {
  const query = new LiveQuery<T>(options)
  $effect(() => query.follow(path()))
  return query
}

// The same of an address that answers text.
export function liveText(path: () => string | null, options: LiveOptions = {}): LiveQuery<string> {
  const query = new LiveQuery<string>(options, text)
  $effect(() => query.follow(path()))
  return query
}

class Connection {
  state = $state<'connecting' | 'live' | 'lost'>('connecting')
  // When what is shown was last known to be true.
  lostAt = $state(0)
  recent = $state.raw<RecordView[]>([])
  #end?: () => void
  #waiting: RecordView[] = []
  #all = false

  constructor() {
    // A browser has few connections for one server: pages that nobody looks at let go of theirs.
    let rest: ReturnType<typeof setTimeout> | undefined
    document.addEventListener('visibilitychange', () => {
      clearTimeout(rest)
      if (document.hidden) rest = setTimeout(() => this.#rest(), HIDDEN_MS)
      else if (this.#resting) this.begin()
    })
  }
  begin() {
    this.#end?.()
    const comesBack = this.#resting
    this.#resting = false
    this.state = 'connecting'
    if (comesBack) this.#soon(true)
    this.#end = watch({
      opened: () => {
        // What was asked before the stream was there may have changed in between, and nobody would say so.
        this.#soon(true)
        this.#notLosing()
        this.state = 'live'
      },
      record: (record) => {
        this.#waiting.push(record)
        this.#soon(false)
      },
      missed: () => this.#soon(true),
      // A stream that is back at once (the server ends one that a burst of records has overrun) is nobody's concern.
      lost: () => {
        if (this.#losing) return
        this.lostAt = Date.now()
        this.#losing = setTimeout(() => (this.state = 'lost'), LOST_MS)
      },
    })
  }
  end() {
    this.#end?.()
    this.#end = undefined
    this.#notLosing()
  }

  #losing?: ReturnType<typeof setTimeout>
  #notLosing() {
    clearTimeout(this.#losing)
    this.#losing = undefined
  }
  #resting = false
  #rest() {
    if (!this.#end) return
    this.end()
    this.#resting = true
  }

  // One look a frame; hidden pages get no frames.
  #scheduled = false
  #soon(all: boolean) {
    this.#all ||= all
    if (this.#scheduled) return
    this.#scheduled = true
    const next = document.hidden ? (run: () => void) => setTimeout(run, 500) : requestAnimationFrame
    next(() => this.#tell())
  }
  #tell() {
    this.#scheduled = false
    const [records, all] = [this.#waiting, this.#all]
    this.#waiting = []
    this.#all = false
    if (records.length > 0) this.recent = [...records.reverse(), ...this.recent].slice(0, RECENT)
    for (const query of queries) {
      const { touchedBy } = query.options
      if (all || (touchedBy && records.some(touchedBy))) query.touched()
    }
    const roles = (record: RecordView) => record.kind.startsWith('manifest_') && record.payload.kind === 'Policy'
    if (all || records.some(roles)) session.refreshRights()
  }
}

export const connection = new Connection()
