// SPDX-License-Identifier: Apache-2.0
// A real server and a real Chromium for the stories beside this file: node NAME_stories.mjs PROGRAM SOURCE BINARY.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'

export const [program, source, binary] = process.argv.slice(2, 5).map((each) => resolve(each))
const SKIPPED = 77 // What ctest is told means skipped.
const modules = join(binary, 'console-tests')
const pictures = join(binary, 'console-pictures')

function skip(why) {
  console.log(`SKIPPED: ${why}, so nothing was tested with a browser`)
  process.exit(SKIPPED)
}

function packages() {
  try {
    execFileSync(join(source, 'tools', 'install_npm'), [join(source, 'tests', 'console'), modules], { stdio: 'inherit' })
  } catch (error) {
    if (error.status === SKIPPED) skip('the packages of tests/console are not there')
    throw error
  }
  return createRequire(join(modules, 'package.json'))
}

const chromiumAt = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (!chromiumAt) skip('there is no Chromium')
if (parseInt(process.versions.node) < 20) skip('playwright wants Node 20 or newer')
if (statSync(join(binary, 'console', 'console.pack')).size === 0) skip('the program was built without the console')
const require = packages()
const { chromium } = require('playwright-core')
const axeSource = readFileSync(require.resolve('axe-core'), 'utf8')

export const until = async (what, test, limit = 20_000) => {
  const end = Date.now() + limit
  for (;;) {
    const found = await test()
    if (found) return found
    if (Date.now() > end) throw new Error(`it did not come about that ${what}`)
    await new Promise((resume) => setTimeout(resume, 50))
  }
}

export class Server {
  constructor({ options = [], run = [program, 'serve'], environment = {} } = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'showcaller-console-'))
    Object.assign(this, { options, command: run, environment })
  }
  async start(port = 0) {
    const urlFile = join(this.folder, 'url')
    rmSync(urlFile, { force: true })
    const log = openSync(join(this.folder, 'log'), 'a')
    const words = [...this.command.slice(1), '--data', join(this.folder, 'state'), '--port', String(port), '--port-file', urlFile]
    this.process = spawn(this.command[0], [...words, ...this.options], { stdio: ['ignore', log, log], env: { ...process.env, ...this.environment } })
    // Whatever becomes of the stories.
    const server = this.process
    process.once('exit', () => server.kill('SIGKILL'))
    await until('the server listens', () => {
      assert.equal(this.process.exitCode, null, this.log())
      return existsSync(urlFile) && readFileSync(urlFile, 'utf8').trim()
    }, 60_000)
    this.url = readFileSync(urlFile, 'utf8').trim()
    this.port = Number(new URL(this.url).port)
    this.token = readFileSync(join(this.folder, 'state', 'admin.token'), 'utf8').trim()
    return this
  }
  log() {
    return readFileSync(join(this.folder, 'log'), 'utf8').slice(-2000)
  }
  async stop(signal = 'SIGTERM') {
    if (!this.process || this.process.exitCode !== null) return
    const ended = new Promise((resume) => this.process.once('exit', resume))
    this.process.kill(signal)
    await ended
  }
  async end() {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
  cli(...words) {
    const env = { ...process.env, SHOWCALLER_SERVER: this.url, SHOWCALLER_TOKEN: this.token, NO_COLOR: '1' }
    return execFileSync(program, words, { encoding: 'utf8', env })
  }
  apply(text) {
    const file = join(this.folder, 'manifests.yaml')
    writeFileSync(file, text)
    return this.cli('apply', file)
  }
  async ask(method, path, body, token = this.token) {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
    return text && JSON.parse(text)
  }
  get(path) {
    return this.ask('GET', path)
  }
  // The newest records of a kind about an event or fleet, newest last.
  async records(kind) {
    return (await this.get(`/api/v1/history?limit=10000&kind=${kind}`)).records
  }
}

// A line between browser and server that can be cut, as a train's tunnel does.
export class Line {
  constructor(server) {
    this.sockets = new Set()
    this.open = true
    this.listener = createServer((from) => {
      if (!this.open) return from.destroy()
      const to = connect(server.port, '127.0.0.1')
      for (const socket of [from, to]) {
        this.sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => (this.sockets.delete(socket), from.destroy(), to.destroy()))
      }
      from.pipe(to).pipe(from)
    })
  }
  async start() {
    await new Promise((resume) => this.listener.listen(0, '127.0.0.1', resume))
    this.url = `http://127.0.0.1:${this.listener.address().port}`
    return this
  }
  cut() {
    this.open = false
    for (const socket of this.sockets) socket.destroy()
  }
  mend() {
    this.open = true
  }
  end() {
    this.cut()
    this.listener.close()
  }
}

const browser = await chromium.launch({ executablePath: chromiumAt, args: ['--no-sandbox'] })

// A browser window of its own. What goes wrong in its pages is kept, and told when it is closed. `issuer`: whose pages one
// signs in by, and nobody else's, are gone to.
export async function window({ width = 1280, height = 800, colours = 'light', reload, issuer } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: colours, reducedMotion: 'reduce', timezoneId: 'UTC', locale: 'en-GB' })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const wrong = []
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`))
  page.on('console', (message) => {
    // A refusal that is shown on the page is no fault of the page.
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text())) wrong.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    const host = new URL(request.url()).hostname
    if (issuer && request.isNavigationRequest() && request.url().startsWith(issuer)) return
    if (!['127.0.0.1', ''].includes(host)) wrong.push(`asked a third party: ${request.url()}`)
  })
  page.closeWell = async () => {
    await context.close()
    assert.deepEqual(wrong, [])
  }
  return page
}

export async function signIn(page, server, address = '/', url = server.url) {
  await page.goto(url + address)
  await page.getByLabel('Token').fill(server.token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Live', { exact: true }).first().waitFor()
  return page
}

// axe's rules of WCAG 2 A and AA, and best practices.
export async function checkAccessible(page, what) {
  await page.evaluate(axeSource)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  const told = violations.map((each) => `${each.id}: ${each.help}\n  ${each.nodes.slice(0, 5).map((node) => `${node.target} ${node.failureSummary}`).join('\n  ')}`)
  assert.deepEqual(told, [], `${what}: not accessible`)
}

// Nothing sticks out to the right of the window.
export async function checkFits(page, what) {
  const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  assert.ok(inner <= outer, `${what}: ${inner} px wide in a window of ${outer} px`)
}

// A page in dark and light, wide and as on a phone: accessible, and nothing cut off. `ready` waits until it is there.
export async function checkLooks(server, address, ready, name) {
  await checkAllLooks(server, [[address, name, ready]])
}

// The same of many pages, in four windows.
export async function checkAllLooks(server, rows) {
  for (const [colours, width] of [['light', 1280], ['dark', 1280], ['light', 360], ['dark', 360]]) {
    const page = await window({ colours, width, height: width === 360 ? 740 : 800 })
    await signIn(page, server, rows[0][0])
    for (const [address, name, ready] of rows) {
      await page.goto(server.url + address)
      await ready(page)
      await checkAccessible(page, `${address} ${colours} ${width}`)
      await checkFits(page, `${address} ${colours} ${width}`)
      await picture(page, `${name}-${colours}-${width}`)
    }
    await page.closeWell()
  }
}

// Presses a button, sees what would follow, gives a reason, does it. Returns what the dialog foretold.
export async function act(page, button, { confirm = button, reason = 'the story wants it', within = page } = {}) {
  await within.getByRole('button', { name: button, exact: true }).click()
  const dialog = page.getByRole('dialog')
  const foretold = dialog.getByRole('region', { name: 'What would follow' })
  await foretold.and(page.locator('[aria-busy="false"]')).waitFor()
  const told = await foretold.innerText()
  await dialog.getByLabel(/^Reason/).fill(reason)
  await dialog.getByRole('button', { name: confirm, exact: true }).click()
  await dialog.getByText(/^(Done, as record|Nothing had to change)/).waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await dialog.waitFor({ state: 'detached' })
  return told
}

export async function picture(page, name, options = {}) {
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true, ...options })
}

// Runs the stories one after another; those whose name holds the fourth word, if there is one. Ends the servers.
export async function run(servers, ...stories) {
  const only = process.argv[5] ?? ''
  let failed = 0
  for (const story of stories.filter((each) => each.name.includes(only))) {
    const began = Date.now()
    try {
      await story()
      console.log(`${story.name} (${Date.now() - began} ms)`)
    } catch (error) {
      ++failed
      console.error(`FAILED ${story.name}\n`, error)
      const page = browser.contexts().at(-1)?.pages().at(-1)
      if (page) await picture(page, `failed-${story.name}`).catch(() => {})
    }
    for (const context of browser.contexts()) await context.close()
  }
  await browser.close()
  console.log(failed ? `${failed} failed; pictures are in ${pictures}` : `${basename(process.argv[1])}: all good`)
  for (const server of servers) await server.end()
  process.exit(failed ? 1 : 0)
}
