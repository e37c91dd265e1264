// SPDX-License-Identifier: Apache-2.0
// A service in Node that asks whether a door is open for a player, by OpenFeature's SDK. Nothing here is ours: the
// providers are OFREP's and flagd's own.
//
//     npm ci
//     node door.mjs ofrep http://127.0.0.1:8080 TOKEN
//     node door.mjs flagd 127.0.0.1:8013           # showcaller serve --flagd-port 8013 --flagd-open
import { FlagdProvider } from "@openfeature/flagd-provider";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OpenFeature, ProviderEvents } from "@openfeature/server-sdk";

const [kind, address, token] = process.argv.slice(2);
const providers = {
  ofrep: () => new OFREPProvider({ baseUrl: address, headers: [["Authorization", `Bearer ${token}`]] }),
  flagd: () => {
    const [host, port] = address.split(":");
    return new FlagdProvider({ host, port: Number(port), resolverType: "rpc", cache: "disabled" });
  },
};
if (!(kind in providers) || !address) {
  console.error("node door.mjs ofrep URL TOKEN | flagd HOST:PORT");
  process.exit(2);
}

await OpenFeature.setProviderAndWait(providers[kind]());
const client = OpenFeature.getClient();
// flagd tells of changes; OFREP's provider for servers asks anew each time.
client.addHandler(ProviderEvents.ConfigurationChanged, ({ flagsChanged }) => console.log("changed:", ...flagsChanged));

const player = { targetingKey: "player-17", party: "party-4", version: "2.4.1" };
const { value, variant, reason } = await client.getBooleanDetails("door", false, player);
console.log(`door is ${variant} (${reason}), so ${value ? "come in" : "wait"}`);
await OpenFeature.close();
process.exit(0);
