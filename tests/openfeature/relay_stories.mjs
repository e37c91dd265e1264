// SPDX-License-Identifier: Apache-2.0
// OpenFeature's flagd provider and bare gRPC calls against a relay: its server's flags as they change, while it is cut
// off, and over restarts of both.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpenFeature, Program, ProviderEvents, flagdClient, next, port, program, require, within } from "./clients.mjs";

const grpc = require("@grpc/grpc-js");
const folder = mkdtempSync(join(tmpdir(), "showcaller-relay-"));
const urlFile = join(folder, "url");
const flag = (name, colour, visibility) => `
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: ${name}, owner: team-raids }
spec: { visibility: ${visibility}, variants: { ${colour}: ${colour}, none: none }, defaultVariant: ${colour} }
---`;

let server, relay, url, token, ports = { evaluation: 0, sync: 0 };

async function startServer(at = 0) {
  server = new Program("serve", "--data", join(folder, "state"), "--port", at, "--port-file", urlFile);
  await server.says(({ log }) => log.includes('"listening on '));
  url = readFileSync(urlFile, "utf8").trim();
  token = readFileSync(join(folder, "state", "admin.token"), "utf8").trim();
}
function cli(...words) {
  return execFileSync(program, words, { encoding: "utf8", env: { ...process.env, SHOWCALLER_SERVER: url, SHOWCALLER_TOKEN: token } });
}
function apply(colour) {
  const file = join(folder, "flags.yaml");
  writeFileSync(file, flag("colour", colour, "client") + flag("rules", "secret-" + colour, "server"));
  cli("apply", file);
}
async function startRelay() {
  relay = new Program("relay", "--upstream", url, "--token-file", join(folder, "relay.token"), "--region", "eu",
    "--data", join(folder, "relay"), "--port", 0, "--flagd-port", ports.evaluation, "--flagd-sync-port", ports.sync, "--flagd-open");
  const lines = await relay.says(({ log }) => log.includes('"listening on ') && log.split("\n"));
  const told = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line)).find((line) => line.flagd);
  ports = { evaluation: port(told.flagd), sync: port(told.flagd_sync) };
}

const withToken = (bearer) => {
  const metadata = new grpc.Metadata();
  if (bearer) metadata.set("authorization", "Bearer " + bearer);
  return metadata;
};
const same = (bytes) => bytes;
const text = (key) => Buffer.concat([Buffer.from([0x0a, key.length]), Buffer.from(key)]);

// The answer as bytes in a text, or the call's status.
function call(at, method, request) {
  const client = new grpc.Client("127.0.0.1:" + at, grpc.credentials.createInsecure());
  return within(new Promise((done) =>
    client.makeUnaryRequest(method, same, same, request, withToken(), (error, answer) => {
      client.close();
      done(error ? grpc.status[error.code] : answer.toString("latin1"));
    })));
}

// What a stream of rules tells from now on: await sync.tells("red").
function followRules(bearer) {
  const client = new grpc.Client("127.0.0.1:" + ports.sync, grpc.credentials.createInsecure());
  const call = client.makeServerStreamRequest("/flagd.sync.v1.FlagSyncService/SyncFlags", same, same, Buffer.alloc(0), withToken(bearer));
  let told = "", ended, wake = () => {};
  call.on("data", (bytes) => ((told = bytes.toString()), wake()));
  call.on("error", (error) => ((ended = grpc.status[error.code]), wake()));
  const until = (what) => within((async () => {
    for (let found; !(found = what()); ) await new Promise((done) => (wake = done));
  })());
  return {
    tells: (words) => until(() => told.includes(words)),
    async ends() { await until(() => ended); return ended; },
    close: () => (call.cancel(), client.close()),
  };
}

const becomes = (client, colour) => within((async () => {
  while ((await client.getStringValue("colour", "none")) !== colour) await new Promise((done) => setTimeout(done, 20));
})(), 15000);

try {
  await startServer();
  apply("red");
  writeFileSync(join(folder, "relay.token"), cli("token", "create", "eu-relay", "--role", "relay"));
  await startRelay();

  const client = await flagdClient("relay", { resolverType: "rpc", port: ports.evaluation });
  await becomes(client, "red");
  assert.equal((await client.getStringDetails("rules", "none")).errorCode, "FLAG_NOT_FOUND");
  const change = next(client, ProviderEvents.ConfigurationChanged);
  apply("blue");
  assert.deepEqual((await change).flagsChanged, ["colour"]);
  assert.equal(await client.getStringValue("colour", "none"), "blue");

  // Every version of the service, and the health check.
  for (const service of ["flagd.evaluation.v1", "flagd.evaluation.v2", "schema.v1"]) {
    assert.match(await call(ports.evaluation, `/${service}.Service/ResolveString`, text("colour")), /blue/, service);
    assert.match(await call(ports.evaluation, `/${service}.Service/ResolveAll`, Buffer.alloc(0)), /colour[^]*blue/, service);
    assert.equal(await call(ports.evaluation, `/${service}.Service/ResolveBoolean`, text("colour")), "INVALID_ARGUMENT", service);
  }
  for (const at of [ports.evaluation, ports.sync])
    assert.equal(await call(at, "/grpc.health.v1.Health/Check", Buffer.alloc(0)), "\x08\x01");

  // Rules, to who may see them.
  const rules = followRules(readFileSync(join(folder, "relay.token"), "utf8").trim());
  await rules.tells("secret-blue");
  assert.equal(await followRules().ends(), "PERMISSION_DENIED");
  assert.equal(await followRules("sc_wrong").ends(), "UNAUTHENTICATED");
  apply("green");
  await rules.tells("secret-green");
  rules.close();

  // Cut off it goes on, also for who comes then, and from the disk alone.
  await becomes(client, "green");
  const serverPort = port(url);
  await server.end("SIGKILL");
  assert.equal(await client.getStringValue("colour", "none"), "green");
  let gone = false;
  const back = next(client, ProviderEvents.Ready, () => gone);
  await relay.end("SIGKILL");
  gone = true;
  await startRelay();
  await back;
  await becomes(client, "green");
  const later = await flagdClient("relay-later", { resolverType: "rpc", port: ports.evaluation });
  assert.equal(await later.getStringValue("colour", "none"), "green");

  // The server is there again, and what changed at it comes through.
  await startServer(serverPort);
  apply("white");
  await Promise.all([becomes(client, "white"), becomes(later, "white")]);
  console.log("a relay's flagd ports: every story came true");
} catch (error) {
  console.error("relay:", relay?.log, "server:", server?.log.slice(-2000));
  throw error;
} finally {
  await OpenFeature.close();
  await relay?.end();
  await server?.end();
  rmSync(folder, { recursive: true });
}
