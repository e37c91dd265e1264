// SPDX-License-Identifier: Apache-2.0
// The console's types hold what a real server answers: its answers are written into a program as values of those types,
// and the compiler is asked. A field that the types do not know is an error, and so is one that is missing.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binary, run, Server, source, until } from './harness.mjs'

const server = await new Server({ run: [join(binary, 'paper_fleet')] }).start()
server.apply(`
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: team-raids, owner: team-raids }
spec: { members: [alice] }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: team-raids }
spec:
  base: 2.3.0
  builds: [ { version: 2.3.0, command: [raid] }, { version: 2.4.0, command: [raid] } ]
  capacity: { min: 6, max: 20, canary_min: 2 }
---
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house, owner: team-raids }
spec:
  members: [ { role: operator, groups: [live-ops] } ]
  freezes: [ { name: holidays, from: "2098-12-20T00:00:00Z", to: "2099-01-04T00:00:00Z", reason: nobody is there } ]
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: winter-raid, owner: team-raids }
spec:
  schedule: { start: "2099-01-01T18:00", end: "2099-01-05T18:00" }
  changes: [ { build: { fleet: raid, version: 2.4.0 } } ]
  rollout:
    stages: [ { name: canary, exposure: 50%, bake: 5m }, { name: world, exposure: 100%, bake: 5m } ]
  analysis: { tick: 1s, warmup: 2s }
  gates: [ { metric: session.crashed, worse_by_at_most: 1%, at_most: 0.2, on_fail: hold } ]
---`)
const event = '/api/v1/events/winter-raid'
await until('it rolls out', async () => (await server.get(event)).phase === 'RollingOut')
await server.ask('POST', `${event}/hold`, { reason: 'to be seen' })
await server.ask('POST', '/api/v1/quarantines', { scope: 'host', fleet: 'raid', subject: 'local', for: '1h', reason: 'hot' })
await until('there is evidence', async () => ((await server.get(`${event}/evidence`).catch(() => ({ t: [] }))).t.length > 2))

const QUESTIONS = [
  ['Actor', '/api/v1/whoami'],
  ['SignInWays', '/api/v1/session'],
  ['HealthView', '/api/v1/health'],
  ['EventLine[]', '/api/v1/events'],
  ['EventView', event],
  ['ManifestView', '/api/v1/manifests/LiveEvent/winter-raid'],
  ['History', '/api/v1/history?kind=stage_entered'],
  ['Explanation', '/api/v1/explain/winter-raid'],
  ['Evidence', `${event}/evidence`],
  ['Calendar', '/api/v1/calendar'],
  ['FleetView', '/api/v1/fleets/raid'],
  ['FleetMap', '/api/v1/fleets/raid/map'],
  ['FleetDemand', '/api/v1/fleets/raid/demand'],
]

async function theTypesAreTheServers() {
  const answers = await Promise.all(QUESTIONS.map(async ([type, path]) => [type, await server.get(path)]))
  answers.push(['DryRun', await server.ask('POST', `${event}/rollback?dry_run=true`, {})])
  answers.push(['Receipt', await server.ask('POST', `${event}/resume`, {})])
  const folder = mkdtempSync(join(tmpdir(), 'showcaller-shapes-'))
  copyFileSync(join(source, 'console', 'src', 'lib', 'types.ts'), join(folder, 'types.ts'))
  const names = [...new Set(answers.map(([type]) => type.replace('[]', '')))]
  const values = answers.map(([type, answer], i) => `export const answer${i}: ${type} = ${JSON.stringify(answer, null, 1)}`)
  writeFileSync(join(folder, 'shapes.ts'), [`import type { ${names.join(', ')} } from './types'`, ...values].join('\n'))
  const compiler = join(binary, 'console', 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    execFileSync('node', [compiler, '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', join(folder, 'shapes.ts')], { encoding: 'utf8' })
  } catch (error) {
    assert.fail(error.stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await run([server], theTypesAreTheServers)
