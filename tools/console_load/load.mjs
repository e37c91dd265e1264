// SPDX-License-Identifier: Apache-2.0
// What open consoles cost a server: node tools/console_load/load.mjs PROGRAM [CONSOLES] [RECORDS_A_SECOND] [SECONDS]. Starts a
// server, changes so many records a second, and reads as so many consoles do: one stream of records each, and the addresses
// that its page shows, asked again when a record touches them, at most once a second. Prints the server's share of one
// core with and without them.
import { spawn, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [program, consoles = '50', rate = '100', seconds = '20'] = process.argv.slice(2)
const EVENTS = 20
const REFETCH_MS = 1000
const TICKS_A_SECOND = 100
const sleep = (ms) => new Promise((resume) => setTimeout(resume, ms))

const folder = mkdtempSync(join(tmpdir(), 'showcaller-load-'))
const data = join(folder, 'state')
const urlFile = join(folder, 'url')
const server = spawn(program, ['serve', '--data', data, '--port', '0', '--port-file', urlFile], { stdio: 'ignore' })
while (!existsSync(urlFile) || !readFileSync(urlFile, 'utf8').trim()) await sleep(20)
const url = new URL(readFileSync(urlFile, 'utf8').trim())
const token = readFileSync(join(data, 'admin.token'), 'utf8').trim()
const agent = new Agent({ keepAlive: true, maxSockets: 2 * Number(consoles) + 10 })

function ask(method, path, body, onAnswer) {
  const headers = { Authorization: `Bearer ${token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) }
  return new Promise((resolve, reject) => {
    const asked = request({ host: url.hostname, port: url.port, method, path, headers, agent }, (answer) => {
      if (onAnswer) return onAnswer(answer, asked)
      let bytes = 0
      answer.on('data', (chunk) => (bytes += chunk.length))
      answer.on('end', () => (answer.statusCode < 400 ? resolve(bytes) : reject(new Error(`${path}: ${answer.statusCode}`))))
    })
    asked.on('error', reject)
    asked.end(body && JSON.stringify(body))
  })
}

const manifests = ['apiVersion: showcaller.dev/v1\nkind: Team\nmetadata: { name: ops, owner: ops }\nspec: { members: [ann] }\n']
for (let i = 0; i < EVENTS; ++i) {
  manifests.push(`apiVersion: showcaller.dev/v1\nkind: Flag\nmetadata: { name: door-${i}, owner: ops }\nspec: { state: ENABLED, variants: { a: true, b: false }, defaultVariant: b }\n`)
  manifests.push(`apiVersion: showcaller.dev/v1\nkind: LiveEvent\nmetadata: { name: event-${i}, owner: ops }\nspec: { changes: [ { flag: { key: door-${i}, to: a } } ], rollout: { stages: [ { name: world, exposure: 100%, bake: 1h, gated: false } ] } }\n`)
}
writeFileSync(join(folder, 'm.yaml'), manifests.join('---\n'))
execFileSync(program, ['apply', join(folder, 'm.yaml')], { env: { ...process.env, SHOWCALLER_SERVER: url.href, SHOWCALLER_TOKEN: token } })

// Holds and resumes of one event after the other: a record each.
let changing = true
let sent = 0
async function change() {
  const began = Date.now()
  while (changing) {
    const due = Math.floor(((Date.now() - began) / 1000) * Number(rate))
    const commands = []
    for (; sent < due; ++sent) commands.push({ do: Math.floor(sent / EVENTS) % 2 === 0 ? 'hold' : 'resume', event: `event-${sent % EVENTS}` })
    if (commands.length > 0) await ask('POST', '/api/v1/batch', { commands })
    await sleep(50)
  }
}

const counts = { records: 0, fetches: 0, bytes: 0 }
const fetchAll = async (paths) => {
  for (const path of paths) {
    counts.bytes += await ask('GET', path)
    ++counts.fetches
  }
}
// A third look at the calendar, a third at all events, a third at one event.
function pageOf(i) {
  if (i % 3 === 0) return { paths: ['/api/v1/calendar'], touchedBy: () => true }
  if (i % 3 === 1) return { paths: ['/api/v1/events'], touchedBy: () => true }
  const name = `event-${i % EVENTS}`
  return { paths: [`/api/v1/events/${name}`, `/api/v1/explain/${name}`], touchedBy: (record) => record.payload.event === name }
}
const streams = []
function open(i) {
  const { paths, touchedBy } = pageOf(i)
  let dirty = true
  let busy = false
  const timer = setInterval(async () => {
    if (!dirty || busy) return
    dirty = false
    busy = true
    await fetchAll(paths).catch(() => {})
    busy = false
  }, REFETCH_MS)
  ask('GET', '/api/v1/watch', undefined, (answer, asked) => {
    streams.push({ asked, timer })
    let rest = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk) => {
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop()
      for (const block of blocks) {
        const at = block.indexOf('data: ')
        if (at < 0) continue
        ++counts.records
        dirty ||= touchedBy(JSON.parse(block.slice(at + 6)))
      }
    })
    answer.on('error', () => {})
  }).catch(() => {})
}

// utime and stime, in ticks.
const spent = () => {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}
async function share(what) {
  const [cpu, at, before] = [spent(), Date.now(), { ...counts, sent }]
  await sleep(Number(seconds) * 1000)
  const took = (Date.now() - at) / 1000
  const percent = ((spent() - cpu) / took) * 100
  const each = (name) => ((name === 'sent' ? sent : counts[name]) - before[name]) / took
  console.log(`${what}: ${percent.toFixed(1)} % of a core; ${each('sent').toFixed(0)} commands/s, ${each('records').toFixed(0)} records read/s, ${each('fetches').toFixed(0)} fetches/s, ${(each('bytes') / 1024).toFixed(0)} KiB/s`)
  return percent
}

const idle = await share('idle')
const writer = change()
await sleep(2000)
const alone = await share(`${rate} changes/s, no console`)
for (let i = 0; i < Number(consoles); ++i) open(i)
await sleep(3000)
const watched = await share(`${rate} changes/s, ${consoles} consoles`)
console.log(`the consoles cost ${(watched - alone).toFixed(1)} % of a core (idle ${idle.toFixed(1)} %)`)
changing = false
await writer
for (const { asked, timer } of streams) {
  clearInterval(timer)
  asked.destroy()
}
server.kill('SIGTERM')
await new Promise((resume) => server.once('exit', resume))
rmSync(folder, { recursive: true, force: true })
process.exit(0)
