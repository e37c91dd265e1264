// SPDX-License-Identifier: Apache-2.0
// The pages that look back and keep house: incidents, flags and config, decisions, rehearsals, drills, policy, health.
import assert from 'node:assert/strict'
import { checkAllLooks, picture, run, Server, signIn, until, window } from './harness.mjs'

const server = await new Server().start()
server.apply(`
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: team-raids, owner: team-raids }
spec: { members: [alice, bob] }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: team-raids, labels: { stage: staging } }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [/bin/true] } ]
  regions: [ { name: eu, zone: Europe/Berlin } ]
  capacity: { min: 0, max: 4 }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-raids }
spec:
  state: ENABLED
  variants: { open: true, shut: false }
  defaultVariant: shut
  targeting: { if: [ { and: [ { "==": [ { var: region }, eu ] }, { ">=": [ { var: level }, 20 ] } ] }, open ] }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: lamps, owner: team-raids }
spec: { variants: { bright: true, dim: false }, defaultVariant: bright }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: hall, owner: team-raids }
spec: { degradation_order: [ { feature: lights, flag: lamps, fallback: dim, message: "It is a little dark." } ] }
---
apiVersion: showcaller.dev/v1
kind: Config
metadata: { name: drops, owner: team-raids }
spec: { version: 16, value: { rare: 0.01, tables: [a, b] } }
---
apiVersion: showcaller.dev/v1
kind: Drill
metadata: { name: dark-night, owner: team-raids }
spec:
  fleet: raid
  injects: [ { name: blow, at: 30m, fault: { kind: kill, size: 1 } } ]
  expect: [ { that: capacity_restored, within: 2m, after: blow } ]`)
server.apply(`
apiVersion: showcaller.dev/v1
kind: Config
metadata: { name: drops, owner: team-raids }
spec: { version: 17, value: { rare: 0.05, tables: [a, c] } }`)
const event = (name, more) => `
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: ${name}, owner: team-raids }
spec:
  runbook: https://runbooks.example/${name}
  changes: [ { flag: { key: door, to: open } } ]
  rollout: { stages: [ { name: world, exposure: 50%, bake: 1h, gated: false } ] }
  ${more}`
const policy = `---
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house-rules, owner: team-raids }
spec:
  approvals: [ { name: two-people, when: { risk: [high] }, count: 1 } ]
  freezes: [ { name: holidays, from: 2099-12-20T00:00:00Z, to: 2099-12-27T00:00:00Z, reason: "nobody is here" } ]
  exceptions: [ { name: early-gala, rule: holidays, event: waits-for-approval, until: ${new Date(Date.now() + 5 * 86_400_000).toISOString()}, reason: "sold already" } ]`
const inPhase = (name, phase) => until(`${name} is ${phase}`, async () => (await server.get(`/api/v1/events/${name}`)).phase === phase)

async function anIncidentIsSeenFromItsBeginningToItsEnd() {
  const page = await signIn(await window(), server, '/console/incidents')
  await page.getByText('No incident yet').waitFor()
  server.cli('quarantine', 'region', 'raid', 'eu', '--reason', 'packet loss')
  await page.getByRole('link', { name: 'region eu of fleet raid is quarantined' }).click()
  await page.getByRole('heading', { name: 'What to do' }).waitFor()
  await page.getByText('Open', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Release the quarantine' }).click()
  await page.getByLabel(/^Reason/).fill('the line is mended')
  await page.getByRole('dialog').getByRole('button', { name: 'Release the quarantine' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByText('Over', { exact: true }).waitFor()
  const [released] = await server.records('quarantine_lifted')
  assert.match(released.line, /the line is mended/)
  await page.closeWell()
}

async function anEventInTroubleIsHeldResumedAndRolledBackFromItsIncident() {
  server.apply(event('gala', ''))
  await inPhase('gala', 'RollingOut')
  // Somebody breaks the glass: the owner is called, while the event goes on.
  server.cli('approve', 'gala', '--break-glass', '--reason', 'the shop is closed')
  const page = await signIn(await window(), server, '/console/incidents')
  await page.getByRole('link', { name: /breaks the glass/ }).click()
  await page.getByRole('link', { name: 'https://runbooks.example/gala' }).waitFor()
  await page.getByRole('region', { name: 'What changed before it, the likeliest first' }).getByText(/stage +gala world/).waitFor()
  const press = async (name) => {
    await page.getByRole('button', { name, exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
    await page.getByText(/Done, as record/).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
  }
  await press('Acknowledge the alert')
  await page.getByText(/^admin, since/).waitFor()
  await press('Silence it for an hour')
  assert.equal((await server.records('silence_set')).length, 1)
  await press('Hold it')
  await page.getByText('Held', { exact: true }).waitFor()
  assert.equal((await server.records('hold_set')).length, 1)
  await press('Resume it')
  await page.getByRole('button', { name: 'Hold it' }).waitFor()
  assert.equal((await server.records('hold_lifted')).length, 1)
  await press('Roll it back')
  await inPhase('gala', 'RolledBack')
  await page.goto(server.url + '/console/incidents')
  await page.getByRole('link', { name: 'gala is rolled back' }).click()
  await page.getByText('Over', { exact: true }).waitFor()
  await picture(page, 'incident')
  await page.closeWell()
}

async function aFlagIsKilledReopenedAndTried() {
  const page = await signIn(await window(), server, '/console/flags')
  await page.getByRole('row', { name: /door/ }).getByRole('button', { name: 'Kill' }).click()
  await page.getByLabel(/^Reason/).fill('it sticks')
  await page.getByRole('button', { name: 'Kill the flag' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('row', { name: /door/ }).getByText('Killed').waitFor()
  assert.equal((await server.records('flag_killed')).length, 1)
  await page.getByRole('link', { name: 'door', exact: true }).first().click()
  await page.getByText('it sticks').first().waitFor()
  await page.getByRole('button', { name: 'Reopen' }).click()
  await page.getByRole('button', { name: 'Reopen the flag' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByText('Enabled', { exact: true }).waitFor()
  assert.equal((await server.records('flag_reopened')).length, 1)
  // The rule in words, and who gets what by it.
  await page.getByRole('list', { name: 'Rules of the manifest' }).getByText('region is eu and level is at least 20').waitFor()
  await page.getByLabel('What else is known').fill('{"region": "eu", "level": 37}')
  await page.getByRole('button', { name: 'What do they get?' }).click()
  await page.getByRole('status').getByText('open', { exact: true }).waitFor()
  await page.getByRole('list', { name: 'Step by step' }).waitFor()
  await page.getByLabel('What else is known').fill('{"region"')
  await page.getByRole('button', { name: 'What do they get?' }).click()
  await page.getByText('is not JSON').waitFor()
  await picture(page, 'flag')
  await page.closeWell()
}

async function whoIsKeptApartIsSaid() {
  server.apply(`
apiVersion: showcaller.dev/v1
kind: Holdout
metadata: { name: q4, owner: team-raids }
spec: { share: 5%, owners: [team-raids] }
---
apiVersion: showcaller.dev/v1
kind: ExclusionGroup
metadata: { name: matchmaking, owner: team-raids }
spec: { unit: player, holdout: 10% }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: fast-match, owner: team-raids }
spec: { variants: { "on": true, "off": false }, defaultVariant: "on", offVariant: "off", exclusion: { group: matchmaking, share: 30% } }
---${event('spring', '')}`)
  await inPhase('spring', 'RollingOut')
  const page = await signIn(await window(), server, '/console/flags')
  const apart = page.getByRole('region', { name: 'Who is kept apart' })
  await apart.getByText('5 % of the players are touched by no event of team-raids').waitFor()
  await apart.getByText('No player is touched by two of its members; 10 % of the players by none').waitFor()
  await apart.getByRole('listitem').getByText('30 %').waitFor()
  await apart.getByRole('link', { name: 'fast-match' }).click()
  await page.getByText('30 % of the group matchmaking; everybody else gets its off variant').waitFor()
  // Of a flag that an event changes, the event's stages.
  await page.goto(server.url + '/console/flags/door')
  const stages = page.getByRole('list', { name: 'Stages of spring' })
  await stages.getByText('50 %').waitFor()
  await page.getByText('gives open to those whom it admits').first().waitFor()
  server.cli('rollback', 'spring', '--reason', 'seen')
  await inPhase('spring', 'RolledBack')
  await page.closeWell()
}

async function aFeatureIsWithdrawnAndGivenBack() {
  const page = await signIn(await window(), server, '/console/flags')
  const table = page.getByRole('table', { name: 'Features of services' })
  const move = async (button, confirm, reason) => {
    await table.getByRole('row', { name: /lights/ }).getByRole('button', { name: button }).click()
    await page.getByLabel(/^Reason/).fill(reason)
    await page.getByRole('button', { name: confirm }).click()
    await page.getByText(/Done, as record/).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
  }
  await move('Withdraw', 'Withdraw the feature', 'the fuse is hot')
  await table.getByText(/by the hand of .*the fuse is hot/).waitFor()
  const [gone] = await server.records('feature_withdrawn')
  assert.match(gone.line, /hall lights by hand: flag lamps gives dim {2}the fuse is hot/)
  await page.goto(server.url + '/console/flags/lamps')
  await page.getByText('hall does without lights').waitFor()
  await page.goto(server.url + '/console/flags')
  await move('Give back', 'Give the feature back', 'it is cool again')
  await table.getByText('Given', { exact: true }).waitFor()
  assert.equal((await server.records('feature_returned')).length, 1)
  await page.closeWell()
}

async function aDocumentIsComparedAndTakenBack() {
  const page = await signIn(await window(), server, '/console/flags/config/drops')
  const changes = page.getByRole('region', { name: 'From version 16 to 17' })
  await changes.getByRole('row', { name: /rare 0.01 0.05/ }).waitFor()
  await changes.getByRole('row', { name: /tables\[1\]/ }).waitFor()
  await picture(page, 'config')
  await page.getByRole('listitem').filter({ hasText: 'Version 16' }).getByRole('button', { name: 'Go back to it' }).click()
  await page.getByRole('button', { name: 'Go back', exact: true }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByText(/version 16 in force/).waitFor()
  assert.equal((await server.get('/api/v1/configs/drops')).version, 16)
  await page.closeWell()
}

async function decisionsAreFoundAndExplained() {
  const page = await signIn(await window(), server, '/console/decisions')
  const found = page.getByRole('list', { name: 'Decisions found' })
  await found.getByRole('listitem').first().waitFor()
  await page.getByRole('textbox', { name: 'Text' }).fill('THE LINE is mended')
  await page.getByRole('button', { name: 'Search' }).click()
  await until('one is found', async () => (await found.getByRole('listitem').count()) === 1)
  assert.match(page.url(), /text=THE/)
  await page.getByRole('textbox', { name: 'Text' }).fill('')
  await page.getByLabel('Kind').selectOption({ label: 'Stages and phases' })
  await page.getByRole('textbox', { name: 'About' }).fill('event/gala')
  await page.getByRole('button', { name: 'Search' }).click()
  await found.getByText(/RollingBack -> RolledBack/).waitFor()
  // What comes is there without asking.
  server.apply(event('gala', 'priority: 3'))
  await until('the second revision rolls out', async () => (await found.getByText(/stage +gala world/).count()) === 2)
  await found.getByRole('listitem').filter({ hasText: 'Draft -> Validated' }).first().getByRole('link').first().click()
  await page.getByRole('list', { name: 'What led to it' }).getByText(/revised +gala r2/).waitFor()
  await page.getByText('Version', { exact: true }).waitFor()
  await picture(page, 'decision')
  await page.closeWell()
}

// As `rehearse -o json` prints it, with the numbers that differ.
const spread = (n) => ({ median: n / 2, p99: n, worst: n + 1 })
const report = (verdict, harmed) => ({
  event: 'gala', at: '2026-12-01T12:00:00Z', seed: 1, verdict, why: [`verdict ${verdict}`], runs: 60,
  clean: { runs: 20, live: { count: 19, of: 20, share: 0.95, at_least: 0.76, at_most: 0.99 }, rolled_back: { count: 0, of: 20, share: 0, at_least: 0, at_most: 0.14 }, held: { count: 1, of: 20, share: 0.05, at_least: 0.01, at_most: 0.24 }, headroom_least: 0.3, sessions_refused_share: 0 },
  faults: [{ fault: 'crashes', says: 'sessions of the canary crash', harms_players: true, runs: 20, endings: { rolled_back: 18, live: 2 }, caught_by: { 'session.crashed': 18 } },
    { fault: 'latency', says: 'joins are slow', harms_players: true, runs: 20, endings: { rolled_back: 12, live: 8 }, caught_by: { 'join.latency': 12 } }],
  stages: ['canary', 'early', 'world'].map((stage, i) => ({ stage, exposure: [0.05, 0.25, 1][i], lasts: '10m', reached_with_harm: 9 - i, harmed_players: spread(harmed * (i + 1)), harm_player_seconds: spread(harmed * 60), sessions_refused: spread(i) })),
  advice: ['bake canary 20m'], surprises: [{ seed: 7, fault: 'latency', ending: 'live', why: 'a harm that no gate saw', replay: 'showcaller rehearse manifests/ --seed 7 --story' }], violations: [],
})

async function rehearsalsAreReadAndCompared() {
  const page = await signIn(await window(), server, '/console/rehearsals')
  await page.getByText('No rehearsal yet').waitFor()
  await server.ask('POST', '/api/v1/rehearsals', report('fail', 90))
  await server.ask('POST', '/api/v1/rehearsals', report('pass', 40))
  await page.reload()
  await until('both are listed', async () => (await page.getByRole('checkbox').count()) === 2)
  await page.getByRole('checkbox').first().check()
  await page.getByRole('checkbox').last().check()
  await page.getByRole('button', { name: 'Compare the two' }).click()
  await page.getByRole('heading', { name: 'Players harmed, by stage' }).waitFor()
  await until('both are drawn', async () => (await page.locator('.u-legend .u-series').count()) >= 9)
  await page.getByText('a harm that no gate saw').first().waitFor()
  await picture(page, 'rehearsals-compared')
  await page.closeWell()
}

async function aDrillIsRunAndStopped() {
  const page = await signIn(await window(), server, '/console/drills')
  const card = page.getByRole('region', { name: 'Drill dark-night' })
  await card.getByText('Not played here').waitFor()
  await card.getByRole('button', { name: 'Run' }).click()
  await page.getByRole('button', { name: 'Run the drill' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  await card.getByText('Goes on').waitFor()
  assert.equal((await server.records('drill_started')).length, 1)
  await card.getByRole('button', { name: 'Stop' }).click()
  await page.getByRole('button', { name: 'Stop the drill' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  await card.getByText('stopped', { exact: true }).waitFor()
  assert.equal((await server.records('drill_ended'))[0].payload.verdict, 'stopped')
  await page.closeWell()
}

async function whatWaitsForApprovalIsApproved() {
  server.apply(event('waits-for-approval', 'risk: high') + '\n' + policy)
  const bob = server.cli('token', 'create', 'bob', '--role', 'operator').trim()
  const page = await window()
  await signIn(page, { url: server.url, token: bob }, '/console/policy')
  const waiting = page.getByRole('list', { name: 'Approvals waited for' }).getByRole('listitem')
  await waiting.getByRole('link', { name: 'waits-for-approval' }).waitFor()
  await page.getByRole('list', { name: 'Freezes' }).getByText('holidays').waitFor()
  await page.getByRole('list', { name: 'What lapses' }).getByText(/early-gala/).waitFor()
  await waiting.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('button', { name: 'Approve it' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByText('Nothing waits for anybody').waitFor()
  assert.equal((await server.records('approval_granted'))[0].actor, 'bob')
  await page.closeWell()
}

async function whoMayOnlyReadSeesDeadButtons() {
  const viewer = server.cli('token', 'create', 'vera', '--role', 'viewer').trim()
  const page = await window()
  await signIn(page, { url: server.url, token: viewer }, '/console/flags/door')
  const kill = page.getByRole('button', { name: 'Kill' })
  await kill.waitFor()
  assert.ok(await kill.isDisabled())
  assert.match((await kill.getAttribute('title')) ?? '', /kill-flag/)
  await page.closeWell()
}

async function healthIsOfTheServersOwnNumbers() {
  const page = await signIn(await window(), server, '/console/health')
  const parts = page.getByRole('region', { name: 'What it rests on' })
  for (const part of ['journal', 'evidence', 'driver process']) await parts.getByText(part, { exact: true }).waitFor()
  await until('all parts are good', async () => (await parts.getByText('Good', { exact: true }).count()) === (await parts.getByRole('listitem').count()))
  await page.getByText('Ready', { exact: true }).waitFor()
  const journal = page.getByRole('region', { name: 'Journal' })
  const seq = (await server.get('/api/v1/status')).seq
  await journal.getByText(new Intl.NumberFormat('en-GB').format(seq), { exact: true }).waitFor()
  await page.getByRole('region', { name: 'Telemetry' }).waitFor()
  await page.closeWell()
}

async function everyPageFitsAPhoneInDarkAndLight() {
  const [incident] = await server.get('/api/v1/incidents')
  const [rehearsal, other] = await server.get('/api/v1/rehearsals')
  await checkAllLooks(server, [
    ['/console/incidents', 'incidents', (page) => page.getByRole('link', { name: 'gala is rolled back' }).waitFor()],
    [`/console/incidents/${incident.id}`, 'incident', (page) => page.getByRole('heading', { name: 'Others like it' }).waitFor()],
    ['/console/flags', 'flags', (page) => page.getByRole('link', { name: 'drops', exact: true }).waitFor()],
    ['/console/flags/door', 'flag', (page) => page.getByRole('list', { name: 'Rules now' }).waitFor()],
    ['/console/flags/config/drops', 'config', (page) => page.getByRole('heading', { name: 'Versions' }).waitFor()],
    ['/console/decisions', 'decisions', (page) => page.getByRole('list', { name: 'Decisions found' }).waitFor()],
    ['/console/rehearsals', 'rehearsals', (page) => page.getByRole('checkbox').first().waitFor()],
    [`/console/rehearsals/${rehearsal.id}?with=${other.id}`, 'rehearsal', (page) => page.getByText('What went wrong, and what caught it').waitFor()],
    ['/console/drills', 'drills', (page) => page.getByRole('region', { name: 'Drill dark-night' }).waitFor()],
    ['/console/policy', 'policy', (page) => page.getByRole('heading', { name: 'Who may do what' }).waitFor()],
    ['/console/health', 'health', (page) => page.getByRole('region', { name: 'Journal' }).waitFor()],
  ])
  const page = await signIn(await window(), server, '/console/incidents/999999')
  await page.getByText('there is no incident 999999').waitFor()
  await page.closeWell()
}

await run([server], anIncidentIsSeenFromItsBeginningToItsEnd, anEventInTroubleIsHeldResumedAndRolledBackFromItsIncident,
  aFlagIsKilledReopenedAndTried, whoIsKeptApartIsSaid, aFeatureIsWithdrawnAndGivenBack,
  aDocumentIsComparedAndTakenBack, decisionsAreFoundAndExplained, rehearsalsAreReadAndCompared,
  aDrillIsRunAndStopped, whatWaitsForApprovalIsApproved, whoMayOnlyReadSeesDeadButtons, healthIsOfTheServersOwnNumbers,
  everyPageFitsAPhoneInDarkAndLight)
