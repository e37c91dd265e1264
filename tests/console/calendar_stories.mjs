// SPDX-License-Identifier: Apache-2.0
// The Calendar: bars over time, freezes, what meets and the next clean start, in a region's own time.
import assert from 'node:assert/strict'
import { checkLooks, picture, run, Server, signIn, until, window } from './harness.mjs'

const server = await new Server().start()
const HOUR = 3_600_000
const inHours = (hours) => new Date(Math.ceil(Date.now() / HOUR) * HOUR + hours * HOUR).toISOString().slice(0, 19) + 'Z'
const event = (name, from, hours, change, more = '') => `
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: ${name}, owner: team-raids }
spec:
  schedule: { start: "${inHours(from)}", end: "${inHours(from + hours)}" }
  changes: [ ${change} ]
  rollout:
    begin: 2h before start
    stages: [ { name: early, exposure: 10%, bake: 4h }, { name: world, exposure: 100%, bake: 4h } ]
  gates: [ { metric: session.crashed, worse_by_at_most: 1%, on_fail: rollback } ]
${more}---`
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
  builds: [ { version: 2.3.0, command: ["true"] }, { version: 2.4.0, command: ["true"] }, { version: 2.5.0, command: ["true"] } ]
  regions: [ { name: eu-west, zone: Europe/Berlin }, { name: ap-southeast, zone: Asia/Singapore } ]
  capacity: { min: 0, max: 1 }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-raids }
spec: { state: ENABLED, variants: { open: true, shut: false }, defaultVariant: shut }
---
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house, owner: team-raids }
spec:
  freezes: [ { name: holidays, from: "${inHours(200)}", to: "${inHours(248)}", reason: nobody is there } ]
---${event('winter-raid', 48, 24, 'build: { fleet: raid, version: 2.4.0 }')}
${event('gala', 50, 24, 'build: { fleet: raid, version: 2.5.0 }', '  after: [winter-raid]\n')}
${event('feast', 220, 30, 'flag: { key: door, to: open }')}`)

const opened = async (query = '', options) => {
  const page = await signIn(await window(options), server, `/console/calendar${query}`)
  await page.getByRole('region', { name: 'Timeline' }).waitFor()
  return page
}

async function theFirstPageIsTheCalendar() {
  const page = await signIn(await window(), server)
  await page.getByRole('heading', { name: 'Calendar', level: 1 }).waitFor()
  await page.closeWell()
}

async function whatMeetsIsMarkedAndACleanStartOffered() {
  const page = await opened('?days=14')
  const conflicts = page.getByRole('region', { name: 'Conflicts' })
  await conflicts.getByText('both need capacity of fleet raid while they roll out').waitFor()
  await conflicts.getByText('both are judged on the same players').waitFor()
  await conflicts.getByText('freezes it by').waitFor()
  const { slots } = await server.get('/api/v1/calendar')
  assert.equal(slots.feast, inHours(250))
  await conflicts.getByText(slots.feast.slice(0, 16)).waitFor()
  await page.getByRole('link', { name: /^gala, .*conflicts$/ }).waitFor()
  await picture(page, 'calendar')
  await page.closeWell()
}

async function timesAreThoseOfTheRegionChosen() {
  const page = await opened()
  const table = page.getByRole('region', { name: 'Events of the calendar' })
  const before = await table.innerText()
  await page.getByLabel('Times of').selectOption({ label: 'ap-southeast (Asia/Singapore)' })
  await until('the times are others', async () => (await table.innerText()) !== before)
  assert.match(page.url(), /zone=Asia%2FSingapore/)
  await page.closeWell()
}

async function whatIsAppliedIsThere() {
  const page = await opened('?days=42')
  server.apply(event('spring', 700, 24, 'flag: { key: door, to: open }'))
  await page.getByRole('link', { name: /^spring,/ }).waitFor()
  // At once again: the server gives everybody the answer that it made within the last second.
  server.apply(event('autumn', 800, 24, 'flag: { key: door, to: open }'))
  await page.getByRole('link', { name: /^autumn,/ }).waitFor()
  await page.getByRole('button', { name: 'Later' }).click()
  await page.getByRole('button', { name: 'Today' }).click()
  await page.getByRole('link', { name: /^gala,/ }).click()
  await page.getByRole('heading', { name: 'gala', level: 1 }).waitFor()
  await page.closeWell()
}

async function itLooksWell() {
  await checkLooks(server, '/console/calendar', (page) => page.getByRole('region', { name: 'Timeline' }).waitFor(), 'calendar')
}

await run([server], theFirstPageIsTheCalendar, whatMeetsIsMarkedAndACleanStartOffered, timesAreThoseOfTheRegionChosen, whatIsAppliedIsThere, itLooksWell)
