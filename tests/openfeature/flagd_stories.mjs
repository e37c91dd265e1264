// SPDX-License-Identifier: Apache-2.0
// OpenFeature's own clients against `showcaller flagd start`, story by story.
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpenFeature, Program, ProviderEvents, flagdClient, next, port, require } from "./clients.mjs";

const { OFREPProvider } = require("@openfeature/ofrep-provider");

const folder = mkdtempSync(join(tmpdir(), "showcaller-flagd-"));
const flagsFile = join(folder, "flags.json");
const flag = (variants, more = {}) => ({ state: "ENABLED", variants, defaultVariant: Object.keys(variants)[0], ...more });
const flags = (colour) => ({
  metadata: { flagSetId: "raid" },
  $evaluators: { staff: { "==": [{ var: "group" }, "staff"] } },
  flags: {
    door: flag({ shut: false, open: true }, { targeting: { if: [{ $ref: "staff" }, "open", null] } }),
    colour: flag({ a: colour }),
    rate: flag({ half: 0.5, three: 3 }),
    loot: flag({ some: { gold: 5, items: ["x"] } }),
    region: flag({ other: "other", home: "home" }, { targeting: { if: [{ "==": [{ var: "region" }, "eu"] }, "home", null] } }),
    off: flag({ on: true }, { state: "DISABLED" }),
    share: flag({ a: "a", b: "b" }, { targeting: { fractional: [["a", 30], ["b", 70]] } }),
  },
});

// As a deployment does it: the file is whole whenever it is there.
function write(document) {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  writeFileSync(flagsFile + ".new", text);
  renameSync(flagsFile + ".new", flagsFile);
}

class Server {
  async start(ports = { evaluation: 0, sync: 0, ofrep: 0 }) {
    this.program = new Program("flagd", "start", "--bind", "127.0.0.1", "--uri", `file:${flagsFile}`, "--log-format", "json",
      "--port", ports.evaluation, "--sync-port", ports.sync, "--ofrep-port", ports.ofrep, "--management-port", 0,
      "--context-value", "region=eu");
    const { listening } = JSON.parse(await this.program.says(({ out }) => out.includes("\n") && out));
    this.ofrep = listening.ofrep;
    this.ports = { evaluation: port(listening.evaluation), sync: port(listening.sync), ofrep: port(listening.ofrep) };
    return this;
  }
  end() {
    return this.program.end();
  }
}

async function eachTypeIsResolved(client, kind) {
  const staff = { targetingKey: "p-17", group: "staff" };
  assert.equal(await client.getBooleanValue("door", true), false, kind);
  const door = await client.getBooleanDetails("door", false, staff);
  assert.deepEqual([door.value, door.variant, door.reason], [true, "open", "TARGETING_MATCH"], kind);
  assert.equal(door.flagMetadata.flagSetId, "raid", kind);
  const colour = await client.getStringDetails("colour", "none");
  assert.deepEqual([colour.value, colour.reason], ["red", "STATIC"], kind);
  assert.equal(await client.getNumberValue("rate", 7), 0.5, kind);
  assert.deepEqual(await client.getObjectValue("loot", {}), { gold: 5, items: ["x"] }, kind);
  assert.equal((await client.getBooleanDetails("absent", true)).errorCode, "FLAG_NOT_FOUND", kind);
  assert.equal((await client.getNumberDetails("colour", 7)).errorCode, "TYPE_MISMATCH", kind);
  assert.equal(await client.getStringValue("region", "none"), "home", kind + ": --context-value");
}

async function aChangeIsTold(clients) {
  const told = clients.map((client) =>
    next(client, ProviderEvents.ConfigurationChanged, ({ flagsChanged }) => flagsChanged?.includes("colour")));
  const began = Date.now();
  write(flags("blue"));
  for (const { flagsChanged } of await Promise.all(told)) assert.deepEqual(flagsChanged, ["colour"]);
  assert.ok(Date.now() - began < 1000, "a change is told within a second");
  for (const client of clients) assert.equal(await client.getStringValue("colour", "none"), "blue");
}

async function aBadFileKeepsTheLastGood(server, clients) {
  write('{\n  "flags": oops');
  await server.program.says(({ log }) => /flags.json:2:12: .*; the flags stay as they were/.test(log));
  for (const client of clients) assert.equal(await client.getStringValue("colour", "none"), "blue");
  write(flags("blue"));
}

async function aRestartIsSurvived(server, clients) {
  const back = clients.map((client) => next(client, ProviderEvents.Ready, () => server.restarted));
  await server.end();
  write(flags("green"));
  server.restarted = true;
  await server.start(server.ports);
  await Promise.all(back);
  for (const client of clients) assert.equal(await client.getStringValue("colour", "none"), "green");
}

async function sharesAreTheSameEverywhere(clients) {
  for (let i = 0; i < 50; ++i) {
    const who = { targetingKey: `player-${i}` };
    const variants = await Promise.all(clients.map((client) => client.getStringValue("share", "none", who)));
    assert.equal(new Set(variants).size, 1, `${who.targetingKey}: ${variants}`);
  }
}

async function anUnchangedAnswerIsNotSentAgain(server) {
  const url = server.ofrep + "/ofrep/v1/evaluate/flags";
  const ask = (headers = {}) => fetch(url, { method: "POST", headers, body: "{}" });
  const first = await ask();
  const { flags: all, eventStreams } = await first.json();
  assert.equal(first.status, 200);
  assert.equal(all.length, 7);
  assert.equal(eventStreams[0].type, "sse");
  assert.equal((await ask({ "If-None-Match": first.headers.get("ETag") })).status, 304);
}

let server;
try {
  write(flags("red"));
  server = await new Server().start();
  const { evaluation, sync } = server.ports;
  const remote = await flagdClient("rpc", { resolverType: "rpc", port: evaluation });
  const local = await flagdClient("in-process", { resolverType: "in-process", port: sync });
  await OpenFeature.setProviderAndWait("ofrep", new OFREPProvider({ baseUrl: server.ofrep }));
  const overHttp = OpenFeature.getClient("ofrep");
  for (const [client, kind] of [[remote, "rpc"], [local, "in-process"], [overHttp, "ofrep"]])
    await eachTypeIsResolved(client, kind);
  const off = await remote.getBooleanDetails("off", false);
  assert.deepEqual([off.value, off.reason], [false, "DISABLED"]);
  await sharesAreTheSameEverywhere([remote, local, overHttp]);
  await anUnchangedAnswerIsNotSentAgain(server);
  await aChangeIsTold([remote, local]);
  await aBadFileKeepsTheLastGood(server, [remote, local, overHttp]);
  await aRestartIsSurvived(server, [remote, local]);
  console.log("flagd's clients: every story came true");
} finally {
  await OpenFeature.close();
  await server?.end();
  rmSync(folder, { recursive: true });
}
