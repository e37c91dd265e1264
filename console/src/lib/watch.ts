// SPDX-License-Identifier: Apache-2.0
// Follows /api/v1/watch: one stream for the whole console, which comes back by itself and goes on where it was. The
// server says something at least every 15 seconds; a stream that is silent for longer is dead, whatever the socket says.
import { Problem, send } from './api'
import type { RecordView } from './types'

const SILENT_MAX_MS = 40_000
const WAITS_MS = [250, 500, 1000, 2000, 4000]

export interface WatchSink {
  opened(): void
  record(record: RecordView): void
  // Records are gone that were never seen here: whatever is shown may be old.
  missed(): void
  lost(problem: Problem): void
}

// Server-sent events, as WHATWG HTML 9.2 has them; lines end in LF alone, as the server writes them.
export async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await withinSilence(reader.read(), () => reader.cancel())
    if (done) return
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      const event: Record<string, string> = {}
      for (const line of block.split('\n')) {
        const colon = line.indexOf(':')
        if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, '')
      }
      if (event.data) yield { id: event.id ?? '', kind: event.event ?? '', data: event.data }
    }
  }
}

function withinSilence<T>(promise: Promise<T>, end: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      end()
      reject(new Problem(0, 'unreachable', 'the server is silent'))
    }, SILENT_MAX_MS)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

export function watch(sink: WatchSink): () => void {
  const abort = new AbortController()
  let lastSeq = ''
  let failures = 0

  const read = async () => {
    const headers: Record<string, string> = lastSeq ? { 'Last-Event-ID': lastSeq } : {}
    const answer = await send('/api/v1/watch', { headers, signal: abort.signal })
    failures = 0
    sink.opened()
    for await (const { id, kind, data } of eventsOf(answer.body!)) {
      if (id) lastSeq = id
      if (kind === 'missed') sink.missed()
      else sink.record(JSON.parse(data))
    }
    throw new Problem(0, 'unreachable', 'the server ended the stream')
  }
  const run = async () => {
    while (!abort.signal.aborted) {
      try {
        await read()
      } catch (error) {
        if (abort.signal.aborted) return
        const problem = error instanceof Problem ? error : new Problem(0, 'unreachable', String(error))
        // Another journal: what was seen of the old one is worth nothing.
        if (problem.status === 409) lastSeq = ''
        sink.lost(problem)
        if (problem.status === 401) return
        await new Promise((resume) => setTimeout(resume, WAITS_MS[Math.min(failures++, WAITS_MS.length - 1)]))
      }
    }
  }
  run()
  return () => abort.abort()
}
