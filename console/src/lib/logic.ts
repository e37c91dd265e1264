// SPDX-License-Identifier: Apache-2.0
// Targeting rules as sentences. What it has no words for it shows as JSON: better ugly than wrong.
export interface Rule {
  // Empty: whoever is left.
  when: string
  gives: string
}

const COMPARES: Record<string, string> = {
  '==': 'is', '===': 'is', '!=': 'is not', '!==': 'is not', '>': 'is above', '>=': 'is at least', '<': 'is below',
  '<=': 'is at most', in: 'is in', starts_with: 'begins with', ends_with: 'ends with',
}
const SEMVER: Record<string, string> = { '=': 'is', '!=': 'is not', '<': 'is before', '<=': 'is at most', '>': 'is after', '>=': 'is at least', '^': 'has the major version of', '~': 'has the minor version of' }

function only(rule: unknown): [string, unknown[]] | undefined {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) return undefined
  const entries = Object.entries(rule)
  if (entries.length !== 1) return undefined
  const [operator, given] = entries[0]!
  return [operator, Array.isArray(given) ? given : [given]]
}

export function said(rule: unknown): string {
  const found = only(rule)
  if (!found) return Array.isArray(rule) ? rule.map(said).join(', ') : typeof rule === 'string' ? rule : JSON.stringify(rule)
  const [operator, given] = found
  const words = given.map(said)
  if (operator === 'var') return String(given[0]) === 'targetingKey' ? 'the player' : words[0]!
  if (operator === '!' ) return `not (${words[0]})`
  if (operator === '!!') return `${words[0]} is there`
  if ((operator === 'and' || operator === 'or') && given.length > 0) {
    const part = (each: unknown, i: number) => (['and', 'or'].includes(only(each)?.[0] ?? '') ? `(${words[i]})` : words[i])
    return given.map(part).join(` ${operator} `)
  }
  if (operator === 'sem_ver' && given.length === 3) return `version ${words[0]} ${SEMVER[String(given[1])] ?? given[1]} ${words[2]}`
  if (operator === 'fractional') return shares(given)
  if (operator === '$ref') return `the rule ${words[0]}`
  if (operator === 'if') return rulesOf(rule).map((each) => (each.when ? `${each.gives} where ${each.when}` : `else ${each.gives}`)).join(', ')
  const drawn = operator === '==' ? among(given) : undefined
  if (drawn) return drawn
  if (COMPARES[operator] && given.length === 2) return `${words[0]} ${COMPARES[operator]} ${words[1]}`
  if (['<', '<='].includes(operator) && given.length === 3) return `${words[1]} is between ${words[0]} and ${words[2]}`
  return JSON.stringify(rule)
}

// The first part of a rule with this operator, itself included.
function part(rule: unknown, operator: string): unknown[] | undefined {
  if (Array.isArray(rule)) return rule.map((each) => part(each, operator)).find((found) => found !== undefined)
  const found = only(rule)
  return found?.[0] === operator ? found[1] : found && part(found[1], operator)
}

// A stage of an event: whether a player's draw falls into its share. Salts are nobody's business here.
function among([draw, variant]: unknown[]): string | undefined {
  const given = typeof variant === 'string' ? part(draw, 'fractional') : undefined
  if (!given) return undefined
  const buckets = given.filter(Array.isArray) as [unknown, number?][]
  const whole = buckets.reduce((sum, [, weight]) => sum + (weight ?? 1), 0)
  const mine = buckets.filter(([name]) => name === variant).reduce((sum, [, weight]) => sum + (weight ?? 1), 0)
  const by = part(given, 'var')?.[0] ?? 'targetingKey'
  return `drawn into ${variant}, ${Number(((mine / whole) * 100).toFixed(3))} % by ${by === 'targetingKey' ? 'player' : by}`
}

// "25 % heavy, 75 % light": by the player, or by what the first part says.
function shares(given: unknown[]): string {
  const by = Array.isArray(given[0]) ? '' : `, drawn by ${said(given[0])}`
  const buckets = given.filter(Array.isArray) as [unknown, number?][]
  const whole = buckets.reduce((sum, [, weight]) => sum + (weight ?? 1), 0)
  const share = (weight: number) => `${Number(((weight / whole) * 100).toFixed(3))} %`
  return buckets.map(([variant, weight]) => `${share(weight ?? 1)} ${said(variant)}`).join(', ') + by
}

export function rulesOf(targeting: unknown): Rule[] {
  if (targeting === undefined || targeting === null || JSON.stringify(targeting) === '{}') return []
  const found = only(targeting)
  if (!found || found[0] !== 'if') return [{ when: '', gives: said(targeting) }]
  const rules: Rule[] = []
  const given = found[1]
  for (let i = 0; i + 1 < given.length; i += 2) rules.push({ when: said(given[i]), gives: said(given[i + 1]) })
  if (given.length % 2 === 1) {
    const rest = given.at(-1)
    rules.push(...(only(rest)?.[0] === 'if' ? rulesOf(rest) : [{ when: '', gives: said(rest) }]))
  }
  return rules
}
