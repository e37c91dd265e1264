// SPDX-License-Identifier: Apache-2.0
// The same questions, asked of npm's @openfeature/flagd-core: the fastest peer that is known here.
//
//   node flagd_core.mjs MODULES DEFINITIONS PLAYERS QUESTIONS
//
// Then, for each line "PREFIX ROUNDS" of standard input, asks all questions of the flags PREFIX-0000,
// PREFIX-0001, … so many times and once before, and prints {"ns": CPU a question, "on": how many answers were true}.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

const [modules, definitions, players, questions] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'index.js'));
const { FlagdCore } = require('@openfeature/flagd-core');

const silent = { error() {}, warn() {}, info() {}, debug() {} };
const core = new FlagdCore(undefined, silent);
core.setConfigurations(readFileSync(definitions, 'utf8'));
const contexts = JSON.parse(readFileSync(players, 'utf8'));
const asked = JSON.parse(readFileSync(questions, 'utf8'));

function ask(keys) {
  let on = 0;
  for (const [flag, player] of asked) {
    const answer = core.resolveBooleanEvaluation(keys[flag], false, contexts[player], silent);
    if (answer.value && answer.variant !== undefined && answer.reason !== 'ERROR') ++on;
  }
  return on;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [prefix, rounds] = line.split(' ');
  const keys = Array.from({ length: 200 }, (_, i) => `${prefix}-${String(i).padStart(4, '0')}`);
  let on = ask(keys); // fetches back what others put out of the caches
  const before = process.cpuUsage();
  for (let round = 0; round < Number(rounds); ++round) on = ask(keys);
  const spent = process.cpuUsage(before);
  const ns = ((spent.user + spent.system) * 1000) / (Number(rounds) * asked.length);
  process.stdout.write(JSON.stringify({ ns, on }) + '\n');
}
