// SPDX-License-Identifier: Apache-2.0
// The Events page and one event's: each button's effect on the server, gates drawn from real evidence, revisions, the
// decision record.
import assert from 'node:assert/strict'
import { act, checkAccessible, checkLooks, picture, run, Server, signIn, until, window } from './harness.mjs'

const server = await new Server().start()
const house = `
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: team-raids, owner: team-raids }
spec: { members: [alice] }
---`
const flag = (name) => `
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: ${name}, owner: team-raids }
spec: { state: ENABLED, variants: { open: true, shut: false }, defaultVariant: shut }
---`
const event = (name, more = '') => `
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: ${name}, owner: team-raids }
spec:
  changes: [ { flag: { key: ${name}-door, to: open } } ]
  rollout:
    unit: player
    stages:
      - { name: staff, audience: { in: [ { var: group }, [staff] ] }, bake: 20m, gated: false }
      - { name: canary, exposure: 20%, bake: { min: 20m, max: 30m } }
      - { name: world, exposure: 100%, bake: 10m }
  analysis: { tick: 1s, warmup: 2s }
  gates: [ { metric: session.crashed, worse_by_at_most: 0%, must_detect: 10x, on_fail: hold } ]
${more}---`
const applied = (name, more) => server.apply(flag(`${name}-door`) + event(name, more))
server.apply(house)

const get = (name) => server.get(`/api/v1/events/${name}`)
const becomes = (name, what, test) => until(`${name} ${what}`, async () => test(await get(name)))
async function opened(name, options) {
  const page = await signIn(await window(options), server, `/console/events/${name}`)
  await page.getByRole('heading', { name, level: 1 }).waitFor()
  return page
}
const reasonOf = async (kind) => (await server.records(kind)).at(-1).payload.reason

async function everyButtonOfARolloutActs() {
  applied('raid')
  await becomes('raid', 'rolls out', (view) => view.phase === 'RollingOut')
  const page = await opened('raid')
  await act(page, 'Hold', { reason: 'lag in ap-southeast' })
  const held = await get('raid')
  assert.equal(held.hold.actor, 'admin')
  assert.match(held.hold.reason, /lag in ap-southeast/)
  await page.getByText('Held by admin', { exact: true }).waitFor()
  await act(page, 'Resume')
  await becomes('raid', 'is not held', (view) => !view.hold)
  const told = await act(page, 'Promote', { reason: 'staff is happy' })
  assert.match(told, /canary/)
  await becomes('raid', 'is in its canary', (view) => view.stage.name === 'canary')
  await page.getByText('20 %').first().waitFor()
  await act(page, 'Divert')
  await becomes('raid', 'is diverted', (view) => view.diverted)
  await act(page, 'End diversion', { confirm: 'End the diversion of' })
  await becomes('raid', 'is not diverted', (view) => !view.diverted)
  await act(page, 'Step back')
  await becomes('raid', 'is back with staff', (view) => view.stage.name === 'staff')
  await act(page, 'Stop the line')
  assert.deepEqual((await server.get('/api/v1/line')).map((line) => line.scope), ['event/raid'])
  await act(page, 'Resume the line')
  assert.deepEqual(await server.get('/api/v1/line'), [])
  await act(page, 'Roll back', { reason: 'enough' })
  await becomes('raid', 'is rolled back', (view) => view.phase === 'RolledBack')
  assert.match(await reasonOf('phase_changed'), /./)
  await page.closeWell()
}

async function oneBeforeItsRolloutIsApprovedOrCancelled() {
  server.apply(`
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house, owner: team-raids }
spec:
  approvals: [ { name: risky, when: { risk: [high] }, count: 1 } ]
---`)
  for (const name of ['spring', 'autumn']) {
    const other = server.cli('token', 'create', `author-${name}`, '--role', 'admin').trim()
    await server.ask('POST', '/api/v1/manifests', { files: [{ name: 'a.yaml', text: flag(`${name}-door`) + event(name, '  risk: high\n') }] }, other)
    await becomes(name, 'waits for approval', (view) => view.phase === 'Validated')
  }
  const page = await opened('spring')
  await act(page, 'Approve')
  await becomes('spring', 'is approved', (view) => view.phase !== 'Validated')
  assert.equal((await server.records('approval_granted')).at(-1).payload.by, 'admin')
  await page.goto(server.url + '/console/events/autumn')
  await act(page, 'Cancel', { reason: 'not this year' })
  await becomes('autumn', 'is cancelled', (view) => view.phase === 'Cancelled')
  await page.closeWell()
}

async function aLiveOneIsRetired() {
  server.apply(flag('short-door') + event('short').replace(/stages:[^]*?analysis/, 'stages: [ { name: all, exposure: 100%, bake: 0s, gated: false } ]\n  analysis'))
  await becomes('short', 'is live', (view) => view.phase === 'Live')
  const page = await opened('short')
  await act(page, 'Retire')
  await becomes('short', 'goes on', (view) => view.phase !== 'Live')
  await page.closeWell()
}

async function whoMayNotIsToldSo() {
  applied('quiet')
  const viewer = { ...server, token: server.cli('token', 'create', 'viewer', '--role', 'viewer').trim() }
  const page = await signIn(await window(), viewer, '/console/events/quiet')
  const hold = page.getByRole('button', { name: 'Hold', exact: true })
  await hold.waitFor()
  assert.ok(await hold.isDisabled())
  assert.match(await hold.getAttribute('title'), /do not allow/)
  await page.closeWell()
}

async function aRefusalIsForetoldAndShown() {
  const page = await opened('quiet')
  await becomes('quiet', 'rolls out', (view) => view.phase === 'RollingOut')
  await server.ask('POST', '/api/v1/events/quiet/hold', {})
  await page.getByRole('button', { name: 'Promote', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('It would be refused now').waitFor()
  await picture(page, 'refusal', { fullPage: false })
  await dialog.getByLabel(/^Reason/).fill('all the same')
  await dialog.getByRole('button', { name: 'Promote', exact: true }).click()
  await dialog.getByRole('alert').nth(1).waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await page.closeWell()
}

// A few units of both arms each quarter of a second: two in a hundred crash, of the canary's so many.
let sequence = 0
function traffic(name, crashes) {
  let done = false
  const token = server.cli('token', 'create', `gs-${name}`, '--role', 'game-server').trim()
  const told = (async () => {
    const shares = { canary: crashes / 100, baseline: 0.02 }
    const met = { canary: 0, baseline: 0 }
    for (let tick = 0; !done; ++tick) {
      const deltas = []
      for (let i = 0; i < 50; ++i) {
        const arm = i % 5 === 0 ? 'canary' : 'baseline'
        // Evenly spread: the n-th unit crashes where the whole number of crashes rises.
        const n = met[arm]++
        const crashed = Math.floor((n + 1) * shares[arm]) > Math.floor(n * shares[arm])
        deltas.push({ metric: 'session.crashed', event: name, arm, unit: `p${tick}-${i}`, n: 1, x: crashed ? 1 : 0 })
      }
      await server.ask('POST', '/api/v1/telemetry', { source: `story-${name}`, sequence: ++sequence, trust: 'server', deltas }, token)
      await new Promise((resume) => setTimeout(resume, 250))
    }
  })()
  return async () => {
    done = true
    await told
  }
}

async function gatesAreDrawnFromTheirEvidence() {
  applied('gala')
  await becomes('gala', 'rolls out', (view) => view.phase === 'RollingOut')
  await server.ask('POST', '/api/v1/events/gala/promote', { reason: 'on' })
  const end = traffic('gala', 9)
  const page = await opened('gala')
  await page.getByRole('combobox', { name: /^Stage/ }).waitFor()
  await page.locator('.uplot canvas').first().waitFor()
  await becomes('gala', 'is held by its gate', (view) => view.hold?.by === 'gate')
  await page.getByText('Held by', { exact: false }).first().waitFor()
  const gate = page.getByRole('region', { name: 'Gates' }).getByRole('article').first()
  await gate.getByText('fail', { exact: true }).waitFor()
  // Three pictures: the stage's evidence, rates, the ratio; each has its numbers beside it.
  assert.equal(await page.locator('.uplot canvas').count(), 3)
  await gate.getByText('canary and baseline: as a table').click()
  const table = gate.getByRole('region', { name: /canary and baseline, as a table/ })
  await until('its table has rows', async () => (await table.getByRole('row').count()) > 4)
  await end()
  const looked = await server.get('/api/v1/events/gala/evidence')
  assert.equal(looked.verdict.at(-1), 'fail')
  await page.closeWell()
}

async function revisionsTellWhatTheyChanged() {
  applied('gala', '  priority: 7\n')
  const page = await opened('gala')
  const revisions = page.getByRole('region', { name: 'Revisions', exact: true })
  const row = revisions.getByRole('row').filter({ hasText: 'spec.priority' })
  await row.getByText('was not there').waitFor()
  await row.getByText('7').waitFor()
  await page.closeWell()
}

async function everyDecisionIsExplained() {
  const page = await opened('gala')
  const record = page.getByRole('region', { name: 'Decision record' })
  await record.getByText('verdict').first().waitFor()
  const item = record.getByRole('listitem').filter({ hasText: /verdict\s*session\.crashed fail\b/ }).first()
  await item.getByText(/^record \d+/).click()
  await item.getByText('Evidence').waitFor()
  await item.getByText('docs/gates.md').waitFor()
  await page.closeWell()
}

async function itLooksWell() {
  await checkLooks(server, '/console/events/gala', (page) => page.locator('.uplot canvas').nth(2).waitFor(), 'event')
  const page = await opened('gala')
  await page.getByRole('button', { name: 'Roll back', exact: true }).click()
  await page.getByRole('dialog').locator('[aria-busy="false"]').waitFor()
  await checkAccessible(page, 'dialog')
  await picture(page, 'dialog', { fullPage: false })
  await page.closeWell()
}

await run([server], everyButtonOfARolloutActs, oneBeforeItsRolloutIsApprovedOrCancelled, aLiveOneIsRetired, whoMayNotIsToldSo,
  aRefusalIsForetoldAndShown, gatesAreDrawnFromTheirEvidence, everyDecisionIsExplained, revisionsTellWhatTheyChanged, itLooksWell)
