// SPDX-License-Identifier: Apache-2.0
// Writes one export of every kind of point as OpenTelemetry's own serializers write it, as protobuf and as JSON:
// node fixtures.mjs FOLDER. tests/codec/otlp_test.cc reads them; they are written anew only on purpose.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(process.argv[3] ? process.argv[3] + '/' : import.meta.url);
const { ProtobufMetricsSerializer, JsonMetricsSerializer } = require('@opentelemetry/otlp-transformer');
const { AggregationTemporality, DataPointType } = require('@opentelemetry/sdk-metrics');
const { resourceFromAttributes } = require('@opentelemetry/resources');

const start = [1760000000, 1], end = [1760000010, 500000000];
const point = (value, attributes = {}) => ({ startTime: start, endTime: end, attributes, value });
const metric = (name, unit, dataPointType, dataPoints, more = {}) => ({
  descriptor: { name, unit, description: 'of a test', type: 'COUNTER', valueType: 1, advice: {} },
  aggregationTemporality: AggregationTemporality.CUMULATIVE, dataPointType, dataPoints, ...more });

const exported = {
  resource: resourceFromAttributes({
    'service.instance.id': 'raid-7f', 'showcaller.event': 'winter-raid', cores: 4, ratio: 0.5, spot: true, zones: ['a', 'b'] }),
  scopeMetrics: [{
    scope: { name: 'arena', version: '1' },
    metrics: [
      metric('match.ended', '{match}', DataPointType.SUM,
             [point(120, { 'showcaller.arm': 'canary', outcome: 'won' }), point(-3.25, { note: 'say "ü"\n😀' })],
             { isMonotonic: true }),
      metric('queue.length', '1', DataPointType.SUM, [point(7)],
             { isMonotonic: false, aggregationTemporality: AggregationTemporality.DELTA }),
      metric('temperature', 'Cel', DataPointType.GAUGE, [point(-12.5, { 'showcaller.unit': 'p1' })]),
      metric('join.latency', 's', DataPointType.HISTOGRAM, [
        point({ buckets: { boundaries: [0.1, 0.25, 1], counts: [5, 3, 2, 1] }, count: 11, sum: 4.5, min: 0.01, max: 3 })]),
      metric('load.time', 'ms', DataPointType.EXPONENTIAL_HISTOGRAM, [
        point({ scale: 3, zeroCount: 2, count: 9, sum: 77.5, min: -1, max: 40,
                positive: { offset: -4, bucketCounts: [1, 0, 300] }, negative: { offset: 2, bucketCounts: [1, 2] } })]),
    ],
  }],
};

writeFileSync(process.argv[2] + '/every_kind.bin', ProtobufMetricsSerializer.serializeRequest(exported));
writeFileSync(process.argv[2] + '/every_kind.json', JsonMetricsSerializer.serializeRequest(exported));
