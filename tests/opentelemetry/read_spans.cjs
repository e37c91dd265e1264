// SPDX-License-Identifier: Apache-2.0
// Reads files of OTLP requests with OpenTelemetry's generated code and prints each as JSON, a line each:
// node read_spans.cjs MODULES FILE...
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const [modules, ...files] = process.argv.slice(2);
const root = require(path.join(modules, "@opentelemetry/otlp-transformer/build/src/generated/root.js"));
const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
for (const file of files) {
  const request = Request.decode(fs.readFileSync(file));
  console.log(JSON.stringify(Request.toObject(request, { bytes: String, longs: String, enums: String })));
}
