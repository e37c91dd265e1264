// SPDX-License-Identifier: Apache-2.0
// OpenTelemetry's own SDK and exporters against the real program: a game server that counts matches, measures joins and
// looks at its queue. node clients.mjs protobuf|json URL TOKEN; prints what the exporter came to.
import { createRequire } from 'node:module';
const require = createRequire(process.env.NODE_FOLDER + '/');
const { MeterProvider, PeriodicExportingMetricReader, AggregationType } = require('@opentelemetry/sdk-metrics');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { diag } = require('@opentelemetry/api');

const [encoding, url, token] = process.argv.slice(2);
const { OTLPMetricExporter } = require(
  encoding === 'json' ? '@opentelemetry/exporter-metrics-otlp-http' : '@opentelemetry/exporter-metrics-otlp-proto');

const said = [];
const hear = (...words) => said.push(words.map(String).join(' '));
diag.setLogger({ error: hear, warn: hear, info() {}, debug() {}, verbose() {} });

async function play(arm, lost) {
  const exporter = new OTLPMetricExporter({
    url, headers: { authorization: 'Bearer ' + token }, compression: arm === 'canary' ? 'gzip' : 'none' });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.instance.id': `${encoding}-${arm}`, 'showcaller.event': 'parade', 'showcaller.arm': arm }),
    readers: [reader],
    views: [{ instrumentName: 'load.time', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const meter = provider.getMeter('arena');
  const matches = meter.createCounter('matches.ended'), join = meter.createHistogram('join.time', {
    unit: 's', advice: { explicitBucketBoundaries: [0.1, 0.25, 0.5, 1] } });
  const load = meter.createHistogram('load.time', { unit: 'ms' });
  meter.createObservableGauge('queue.length').addCallback((seen) => seen.observe(3));
  meter.createCounter('nobody.asked').add(1);
  for (let i = 0; i < 100; ++i) {
    matches.add(1, { outcome: i < lost ? 'lost' : 'won' });
    join.record(i / 100);
    load.record(i + 1);
  }
  await provider.forceFlush();
  await provider.shutdown();
}

await play('baseline', 1);
await play('canary', 40);
console.log(JSON.stringify({ said }));
