// SPDX-License-Identifier: Apache-2.0
// OpenFeature's flagd provider against `showcaller serve`: the journal's flags, as they are applied.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OpenFeature, Program, ProviderEvents, flagdClient, next, port, program, require, within } from "./clients.mjs";

const grpc = require("@grpc/grpc-js");
const folder = mkdtempSync(join(tmpdir(), "showcaller-serve-"));
const flag = (name, colour, visibility) => `
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: ${name}, owner: team-raids }
spec: { visibility: ${visibility}, variants: { ${colour}: ${colour}, none: none }, defaultVariant: ${colour} }
---`;

function cli(...words) {
  return execFileSync(program, words, { encoding: "utf8", env: { ...process.env, SHOWCALLER_SERVER: url, SHOWCALLER_TOKEN: token } });
}
function apply(colour) {
  const file = join(folder, "flags.yaml");
  writeFileSync(file, flag("colour", colour, "client") + flag("rules", "secret", "server"));
  cli("apply", file);
}

// The rules, as bytes of the answer; or the call's status.
function fetchRules(address, token) {
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  if (token) metadata.set("authorization", "Bearer " + token);
  return new Promise((done) =>
    client.makeUnaryRequest("/flagd.sync.v1.FlagSyncService/FetchAllFlags", (bytes) => bytes, (bytes) => bytes,
      Buffer.alloc(0), metadata, (error, answer) => {
        client.close();
        done(error ? grpc.status[error.code] : answer.toString());
      }));
}

const server = new Program("serve", "--data", join(folder, "state"), "--port", 0, "--port-file", join(folder, "url"),
  "--flagd-port", 0, "--flagd-sync-port", 0, "--flagd-open");
let url, token;
try {
  const lines = await server.says(({ log }) => log.includes('"listening on ') && log.split("\n"));
  const told = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const address = (what) => told.find((line) => line.flagd === what).address;
  url = readFileSync(join(folder, "url"), "utf8").trim();
  token = readFileSync(join(folder, "state", "admin.token"), "utf8").trim();
  apply("red");

  const client = await flagdClient("serve", { resolverType: "rpc", port: port(address("evaluation")) });
  assert.equal(await client.getStringValue("colour", "none"), "red");
  assert.equal((await client.getStringDetails("rules", "none")).errorCode, "FLAG_NOT_FOUND");
  const change = next(client, ProviderEvents.ConfigurationChanged);
  apply("blue");
  assert.deepEqual((await change).flagsChanged, ["colour"]);
  assert.equal(await client.getStringValue("colour", "none"), "blue");

  // OFREP tells where it tells of changes, and does.
  const headers = { Authorization: "Bearer " + token };
  const bulk = await (await fetch(url + "/ofrep/v1/evaluate/flags", { method: "POST", headers, body: "{}" })).json();
  const events = (await fetch(url + bulk.eventStreams[0].endpoint.requestUri, { headers })).body.getReader();
  apply("green");
  for (let text = ""; !text.includes("refetchEvaluation"); )
    text += new TextDecoder().decode((await within(events.read())).value);
  await events.cancel();

  // Of what the caller may see, what he selects; there is one source.
  const select = async (selector) => {
    const answer = await fetch(url + "/ofrep/v1/evaluate/flags", { method: "POST", body: "{}", headers: { ...headers, "Flagd-Selector": selector } });
    return [answer.status, await answer.json()];
  };
  assert.equal((await select("source=journal"))[1].flags.length, 2);
  const [status, selected] = await select("flagSetId=none");
  assert.deepEqual([status, selected.flags], [200, []]);
  assert.match(selected.eventStreams[0].endpoint.requestUri, /selector=flagSetId%3Dnone/);
  assert.equal((await select("app=x"))[0], 400);

  assert.match(await fetchRules(address("sync"), token), /"rules"/);
  assert.equal(await fetchRules(address("sync")), "PERMISSION_DENIED");
  assert.equal(await fetchRules(address("sync"), "sc_wrong"), "UNAUTHENTICATED");
  console.log("serve's flagd ports: every story came true");
} finally {
  await OpenFeature.close();
  await server.end();
  rmSync(folder, { recursive: true });
}
