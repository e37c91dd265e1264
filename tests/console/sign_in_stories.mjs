// SPDX-License-Identifier: Apache-2.0
// Signing in by an issuer of identities in a real browser: to the issuer's page, on another site, and back.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkAccessible, checkFits, picture, run, Server, source, until, window } from './harness.mjs'

// localhost is another site than 127.0.0.1, as an issuer is.
const issuer = spawn('python3', [join(source, 'tests', 'e2e', 'oidc_issuer.py'), 'localhost'], { stdio: ['pipe', 'pipe', 'inherit'] })
process.once('exit', () => issuer.kill('SIGKILL'))
let told = ''
issuer.stdout.on('data', (text) => (told += text))
const issuerUrl = (await until('the issuer listens', () => told.includes('\n') && told, 60_000)).trim()

const server = new Server()
const secret = join(server.folder, 'client-secret')
writeFileSync(secret, 's3cret/ +%\n')
server.options = ['--oidc-issuer', issuerUrl, '--oidc-client-id', 'show:caller', '--oidc-client-secret-file', secret, '--oidc-name', 'Studio']
await server.start()
server.apply(`
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: people, owner: team-raids }
spec: { members: [ { role: operator, groups: [live-ops] } ] }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-raids }
spec: { state: ENABLED, variants: { open: true, shut: false }, defaultVariant: shut }
---`)

async function wrong(how) {
  await fetch(`${issuerUrl.replace('localhost', '127.0.0.1')}/wrong`, { method: 'POST', body: new URLSearchParams({ wrong: JSON.stringify(how) }) })
}

async function toTheIssuer(page, address) {
  await page.goto(server.url + address)
  await page.getByRole('link', { name: 'Sign in with Studio' }).click()
  await page.getByRole('heading', { name: 'Who are you?' }).waitFor()
}

async function theIssuerSignsInAndThePersonActs() {
  const page = await window({ issuer: issuerUrl })
  await toTheIssuer(page, '/console/flags/door')
  assert.equal(new URL(page.url()).hostname, 'localhost')
  await page.getByRole('button', { name: 'ann' }).click()
  await page.getByText('Live', { exact: true }).first().waitFor()
  assert.equal(page.url(), `${server.url}/console/flags/door`, 'back to the page that was asked for')
  await page.getByText('ann@studio.example').first().waitFor()
  const cookies = await page.context().cookies()
  assert.deepEqual(cookies.map((each) => [each.name, each.httpOnly, each.sameSite]), [['showcaller_session', true, 'Strict']])
  const answer = await page.evaluate(async () => (await fetch('/api/v1/flags/door/kill', { method: 'POST', body: '{"reason":"the story wants it"}', headers: { 'Content-Type': 'application/json' } })).status)
  assert.equal(answer, 200)
  await until('the journal names the person', async () => (await server.records('flag_killed')).some((each) => each.actor === 'ann@studio.example'))
  await page.reload()
  await page.getByText('ann@studio.example').first().waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('link', { name: 'Sign in with Studio' }).waitFor()
  await page.closeWell()
}

async function whatWentWrongIsSaidOnThePage() {
  const page = await window({ issuer: issuerUrl })
  for (const [how, who, says] of [
    [{ exp_in: -120 }, 'ann', /the token expired at/],
    [{ deny: true }, 'ann', /Studio did not sign you in: access_denied, not today/],
    [{}, 'bob', /no policy gives 'bob@studio.example' a role/],
  ]) {
    await wrong(how)
    await toTheIssuer(page, '/')
    await page.getByRole('button', { name: who }).click()
    await page.getByRole('alert').getByText(says).waitFor()
  }
  await wrong({})
  await page.reload()
  await page.getByRole('link', { name: 'Sign in with Studio' }).waitFor()
  assert.equal(await page.getByRole('alert').count(), 0, 'it is said once')
  await page.closeWell()
}

async function thePageIsForEverybody() {
  for (const [colours, width] of [['light', 1280], ['dark', 360]]) {
    const page = await window({ colours, width })
    await page.goto(server.url)
    await page.getByRole('link', { name: 'Sign in with Studio' }).waitFor()
    await checkAccessible(page, `sign-in by an issuer ${colours}`)
    await checkFits(page, `sign-in by an issuer ${colours}`)
    await picture(page, `sign-in-issuer-${colours}-${width}`)
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Sign in with Studio')
    await page.closeWell()
  }
}

await run([server], theIssuerSignsInAndThePersonActs, whatWentWrongIsSaidOnThePage, thePageIsForEverybody)
