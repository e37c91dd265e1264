// SPDX-License-Identifier: Apache-2.0
// Random JSONLogic rules over random data, answered by `showcaller flag rule`, by json-logic-js and
// by json-logic-engine, which flagd's providers for Node use. Prints where they differ; only a
// difference from json-logic-js, the judge of the language, is ours to mend.
//
//   node compare.mjs SHOWCALLER MODULES [CASES] [SEED]
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [showcaller, modules, cases = '20000', seed = '1'] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'index.js'));
const judge = require('json-logic-js');
const { LogicEngine } = require('json-logic-engine');
const engine = new LogicEngine();

let state = BigInt(seed) * 0x9e3779b97f4a7c15n;
function below(n) {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number((state >> 33n) % BigInt(n));
}
const pick = (list) => list[below(list.length)];
const some = (max, make) => Array.from({ length: below(max + 1) }, make);

const texts = ['', '0', '1', '10', '9', '-3.5', ' 7 ', '1e2', '0x1F', '12abc', 'a', 'abc', 'café', '😀b', 'true', 'null', 'Infinity'];
const numbers = [0, 1, 2, 3, -1, -7, 0.5, 2.5, 1e21, 1e-7, 123456789012];
const paths = ['a', 'b', 'c', 'list', 'o', 'o.k', 'o.l.0', 'list.1', 'a.length', 'absent', 'absent.far', '', 'k'];
function plain(depth = 1) {
  switch (below(depth > 0 ? 8 : 6)) {
    case 0: return null;
    case 1: return below(2) === 1;
    case 2: case 3: return pick(numbers);
    case 4: case 5: return pick(texts);
    case 6: return some(3, () => plain(depth - 1));
    default: return { k: plain(depth - 1), l: some(2, () => plain(0)) };
  }
}
function data() {
  const out = {};
  for (const key of ['a', 'b', 'c', 'o']) if (below(5) > 0) out[key] = plain(2);
  out.list = some(4, () => plain(1));
  return out;
}
const lists = ['map', 'filter', 'all', 'none', 'some'];
const binary = ['==', '===', '!=', '!==', '<', '<=', '>', '>=', '-', '/', '%', 'in'];
const variadic = ['and', 'or', 'if', '?:', 'cat', 'max', 'min', '+', '*', 'merge', 'missing'];
function rule(depth) {
  if (depth === 0) return below(2) ? { var: pick(paths) } : literal();
  switch (below(8)) {
    case 0: return literal();
    case 1: return { var: below(3) ? pick(paths) : [pick(paths), plain(0)] };
    case 2: { const op = pick(lists); return { [op]: [below(3) ? { var: 'list' } : rule(depth - 1), rule(depth - 1)] }; }
    case 3: return { reduce: [{ var: 'list' }, rule(depth - 1), plain(0)] };
    case 4: return { substr: [rule(depth - 1), below(9) - 4, ...some(1, () => below(9) - 4)] };
    case 5: return { [pick(['!', '!!'])]: [rule(depth - 1)] };
    case 6: { const op = pick(binary); return { [op]: [rule(depth - 1), rule(depth - 1), ...(op[0] === '<' ? some(1, () => rule(depth - 1)) : [])] }; }
    default: { const op = pick(variadic); return { [op]: op === 'missing' ? some(3, () => pick(paths.filter((p) => p))) : [rule(depth - 1), ...some(3, () => rule(depth - 1))] }; }
  }
}
// An object of one member would be an operation.
function literal() {
  const value = plain(1);
  return JSON.stringify(value).includes('{"k"') ? pick(numbers) : value;
}

const asked = [];
for (let i = 0; i < Number(cases); ++i) asked.push({ rule: rule(3), data: data() });
const told = spawnSync(showcaller, ['flag', 'rule', '-'], {
  input: asked.map((one) => JSON.stringify(one)).join('\n') + '\n', maxBuffer: 1 << 30 });
const ours = told.stdout.toString().trimEnd().split('\n');
// Half a surrogate pair can't be written in UTF-8; ours gives U+FFFD for it.
const text = (value) => JSON.stringify(value === undefined ? null : value)
  .replace(/\\ud[89a-f][0-9a-f]{2}/g, '\ufffd');
const attempt = (ask) => { try { return text(ask()); } catch { return '{"error"}'; } };
const counts = { cases: asked.length, judge: 0, engine: 0 };
asked.forEach((one, i) => {
  const mine = ours[i].startsWith('{"error"') ? '{"error"}' : text(JSON.parse(ours[i]));
  const theirs = attempt(() => judge.apply(structuredClone(one.rule), structuredClone(one.data)));
  if (mine !== theirs && ++counts.judge <= 20)
    console.log(`ours ${mine}  json-logic-js ${theirs}  ${JSON.stringify(one)}`);
  if (mine !== attempt(() => engine.run(one.rule, one.data))) ++counts.engine;
});
console.log(`${counts.cases} cases: ${counts.judge} unlike json-logic-js, ${counts.engine} unlike json-logic-engine`);
process.exitCode = counts.judge > 0 ? 1 : 0;
