// SPDX-License-Identifier: Apache-2.0
// OpenFeature's clients, the program as a process, and waiting, for the stories beside this file.
//
//     node STORIES.mjs PROGRAM FOLDER_OF_NODE_MODULES
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [path, modules] = process.argv.slice(2).map((each) => resolve(each));
export const program = path;
export const require = createRequire(join(modules, "package.json"));
export const { OpenFeature, ProviderEvents } = require("@openfeature/server-sdk");
const { FlagdProvider } = require("@openfeature/flagd-provider");

export class Program {
  constructor(...words) {
    this.process = spawn(program, words.map(String), { stdio: ["ignore", "pipe", "pipe"] });
    this.out = this.log = "";
    this.process.stdout.on("data", (text) => (this.out += text));
    this.process.stderr.on("data", (text) => (this.log += text));
  }
  // Until what it printed or logged gives something.
  async says(look) {
    for (let found; ; await new Promise((done) => setTimeout(done, 10))) {
      if ((found = look(this))) return found;
      if (this.process.exitCode !== null) throw new Error("the program ended: " + this.log);
    }
  }
  async end(how = "SIGTERM") {
    const gone = new Promise((done) => this.process.once("exit", done));
    const runs = this.process.exitCode === null && this.process.signalCode === null;
    if (runs && this.process.kill(how)) await gone;
  }
}

export const within = (what, milliseconds = 5000) => {
  let timer;
  const late = new Promise((_, failed) => (timer = setTimeout(() => failed(new Error("too late")), milliseconds)));
  return Promise.race([what, late]).finally(() => clearTimeout(timer));
};

// The next event of this kind that passes.
export const next = (client, kind, passes = () => true) =>
  within(new Promise((done) => {
    const hear = (details) => {
      if (!passes(details)) return;
      client.removeHandler(kind, hear);
      done(details);
    };
    client.addHandler(kind, hear);
  }));

export async function flagdClient(kind, options) {
  const name = "flagd-" + kind;
  await within(OpenFeature.setProviderAndWait(name, new FlagdProvider({
    host: "127.0.0.1", retryBackoffMs: 50, retryBackoffMaxMs: 100, cache: "disabled", ...options })));
  return OpenFeature.getClient(name);
}

export const port = (address) => Number(address.split(":").at(-1));
