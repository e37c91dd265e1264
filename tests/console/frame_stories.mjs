// SPDX-License-Identifier: Apache-2.0
// The console's frame: signing in and out, moving about, being live, losing the server and finding it again.
import assert from 'node:assert/strict'
import { checkAccessible, checkFits, checkLooks, Line, picture, run, Server, signIn, until, window } from './harness.mjs'

const server = await new Server().start()
const event = (name, priority) => `
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: ${name}, owner: team-raids }
spec:
  schedule: { start: 2099-01-01T00:00:00Z }
  priority: ${priority}
  changes: [ { flag: { key: door, to: open } } ]
  rollout: { stages: [ { name: world, exposure: 100%, bake: 1m, gated: false } ] }
---`
server.apply(`
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: team-raids, owner: team-raids }
spec: { members: [alice] }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-raids }
spec: { state: ENABLED, variants: { open: true, shut: false }, defaultVariant: shut }
---${event('first-event', 1)}`)

async function nobodySeesAnythingUnsigned() {
  const page = await window()
  await page.goto(server.url + '/console/events')
  await page.getByLabel('Token').fill('sc_wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').getByText('token').waitFor()
  await checkAccessible(page, 'sign-in')
  await picture(page, 'sign-in')
  await page.closeWell()
}

async function aTokenSignsInAndTheCookieIsNoScriptsBusiness() {
  const page = await signIn(await window(), server, '/console/events')
  await page.getByRole('link', { name: 'first-event' }).waitFor()
  const cookies = await page.context().cookies()
  assert.equal(cookies.length, 1)
  assert.ok(cookies[0].httpOnly && cookies[0].sameSite === 'Strict' && cookies[0].value !== server.token)
  assert.equal(await page.evaluate(() => document.cookie), '')
  await page.reload()
  await page.getByRole('link', { name: 'first-event' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Token').waitFor()
  await page.reload()
  await page.getByLabel('Token').waitFor()
  await page.closeWell()
}

async function whatHappensIsSeenWithoutAsking() {
  const page = await signIn(await window(), server, '/console/events')
  await page.getByRole('link', { name: 'first-event' }).waitFor()
  server.apply(event('second-event', 2))
  await page.getByRole('link', { name: 'second-event' }).waitFor()
  await page.closeWell()
}

async function aLostConnectionIsToldAndCaughtUp() {
  const line = await new Line(server).start()
  const page = await signIn(await window(), server, '/console/events', line.url)
  await page.getByRole('link', { name: 'first-event' }).waitFor()
  line.cut()
  await page.getByText(/Stale since \d\d:\d\d:\d\d/).waitFor()
  await picture(page, 'stale')
  server.apply(event('third-event', 3))
  line.mend()
  await page.getByRole('link', { name: 'third-event' }).waitFor()
  await page.getByText(/Stale since/).waitFor({ state: 'detached' })
  line.end()
  await page.closeWell()
}

async function keysAloneReachEverything() {
  const page = await signIn(await window(), server, '/console/events')
  await page.getByRole('link', { name: 'first-event' }).waitFor()
  await page.reload()
  await page.getByRole('link', { name: 'first-event' }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the page')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main')
  // From the page on: the table's region, then its headings, which sort.
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const sorted = await page.getByRole('columnheader', { name: 'Event' }).getAttribute('aria-sort')
  assert.equal(sorted, 'ascending')
  await page.closeWell()
}

async function coloursAreChosenAndKept() {
  const page = await signIn(await window(), server, '/console/events')
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await ground()
  await page.getByLabel('Colours').selectOption('dark')
  assert.notEqual(await ground(), light)
  const dark = await ground()
  await page.reload()
  await page.getByLabel('Colours').waitFor()
  assert.equal(await ground(), dark)
  await page.closeWell()
}

async function theFirstPaintIsQuickAndTheBundleSmall() {
  const page = await window()
  let bytes = 0
  page.on('response', async (answer) => (bytes += Number((await answer.allHeaders())['content-length'] ?? 0)))
  await page.goto(server.url)
  await page.getByLabel('Token').waitFor()
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime)
  console.log(`  first paint ${Math.round(paint)} ms, ${bytes} bytes`)
  assert.ok(paint < 1000 && bytes < 300 * 1024, `${paint} ms, ${bytes} bytes`)
  await page.closeWell()
}

async function itFitsAPhoneInDarkAndLight() {
  await checkLooks(server, '/console/events', (page) => page.getByRole('link', { name: 'first-event' }).waitFor(), 'events')
  const page = await window({ width: 360, height: 740 })
  await signIn(page, server, '/console/events')
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('link', { name: 'Events', exact: true }).waitFor()
  await checkFits(page, 'menu')
  await checkAccessible(page, 'menu')
  await page.closeWell()
}

async function aRestartOfTheServerAsksForTheTokenAgain() {
  const page = await signIn(await window(), server, '/console/events')
  await server.stop()
  await page.getByText(/Stale since/).waitFor()
  await server.start(server.port)
  await page.getByText('You were signed out').waitFor()
  await page.closeWell()
}

await run([server], nobodySeesAnythingUnsigned, aTokenSignsInAndTheCookieIsNoScriptsBusiness, whatHappensIsSeenWithoutAsking,
  aLostConnectionIsToldAndCaughtUp, keysAloneReachEverything, coloursAreChosenAndKept,
  theFirstPaintIsQuickAndTheBundleSmall, itFitsAPhoneInDarkAndLight, aRestartOfTheServerAsksForTheTokenAgain)
