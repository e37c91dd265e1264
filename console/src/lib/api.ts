// SPDX-License-Identifier: Apache-2.0
// The API as the console asks it: answers, or a Problem that says what went wrong and what to do. The browser sends the
// session's cookie by itself.
import type { Problem as ProblemBody } from './types'

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly remedies: string[] = [],
    readonly trace = '',
  ) {
    super(detail)
  }
  // Nobody answered: what is shown is old, not wrong.
  get unreachable() {
    return this.status === 0
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  const body: Partial<ProblemBody> = await answer.json().catch(() => ({}))
  const detail = body.detail ?? `the server answered ${answer.status} without a reason`
  return new Problem(answer.status, body.code ?? 'internal', detail, body.remedies ?? [], body.trace ?? '')
}

export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new Problem(0, 'unreachable', 'the server does not answer', ['wait: the console tries again by itself'])
  }
  if (answer.ok) return answer
  const problem = await problemOf(answer)
  if (problem.status === 401) whenSignedOut(problem)
  throw problem
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await send(path, { signal })).json()
}

export async function text(path: string, signal?: AbortSignal): Promise<string> {
  return (await send(path, { signal })).text()
}

// A command carries a key of its own, so that sending it again after a lost answer has no second effect.
export async function post<T>(path: string, body: object, key?: string): Promise<T> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' }
  if (key) headers['Idempotency-Key'] = key
  return (await send(path, { method: 'POST', headers, body: JSON.stringify(body) })).json()
}

let whenSignedOut: (problem: Problem) => void = () => {}
export function onSignedOut(callback: (problem: Problem) => void) {
  whenSignedOut = callback
}

export function path(strings: TemplateStringsArray, ...parts: (string | number)[]): string {
  return strings.reduce((whole, text, i) => whole + encodeURIComponent(parts[i - 1] ?? '') + text)
}
