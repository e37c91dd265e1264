// SPDX-License-Identifier: Apache-2.0
// Packs the built console into one file that the program holds: tools/pack_console.mjs FOLDER PACK. What it looks like
// stands in src/wire/console/console_files.h.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { extname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
}
const COMPRESSED_MAX = 300 * 1024

function* filesOf(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) yield* filesOf(path)
    else yield path
  }
}

const [folder, pack] = process.argv.slice(2)
const rows = []
const pieces = []
let compressed = 0
for (const path of filesOf(folder)) {
  const type = TYPES[extname(path)]
  if (!type) throw new Error(`${path} has no known type; add its ending to tools/pack_console.mjs`)
  const plain = readFileSync(path)
  const small = gzipSync(plain, { level: 9 })
  const gzip = small.length < plain.length ? small : Buffer.alloc(0)
  compressed += gzip.length || plain.length
  const etag = createHash('sha256').update(plain).digest('hex').slice(0, 16)
  rows.push({ path: relative(folder, path), type, etag, size: plain.length, gzip: gzip.length })
  pieces.push(plain, gzip)
}
if (compressed > COMPRESSED_MAX) {
  throw new Error(`the console has ${compressed} bytes compressed, more than ${COMPRESSED_MAX}; take something out`)
}
writeFileSync(pack, Buffer.concat([Buffer.from(JSON.stringify({ files: rows }) + '\n'), ...pieces]))
