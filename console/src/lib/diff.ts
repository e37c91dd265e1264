// SPDX-License-Identifier: Apache-2.0
// What differs between two documents, leaf by leaf.
export interface Change {
  path: string
  before?: string
  after?: string
}

function* leaves(value: unknown, at: string): Generator<[string, string]> {
  if (value !== null && typeof value === 'object' && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) {
      yield* leaves(inner, Array.isArray(value) ? `${at}[${key}]` : at ? `${at}.${key}` : key)
    }
  } else yield [at, JSON.stringify(value)]
}

export function differences(before: unknown, after: unknown): Change[] {
  const [old, now] = [new Map(leaves(before, '')), new Map(leaves(after, ''))]
  const paths = [...new Set([...old.keys(), ...now.keys()])]
  return paths.filter((each) => old.get(each) !== now.get(each)).map((each) => ({ path: each, before: old.get(each), after: now.get(each) }))
}
