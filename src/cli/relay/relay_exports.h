// SPDX-License-Identifier: Apache-2.0
// Exports of OpenTelemetry's metrics that a relay takes: handed on as they came, for the server
// alone knows which Metrics they are mapped to. Who sent them, and whether the relay takes him for
// a game server, goes along.
//
//   waiting = {"type","encoding","sender","server":bool,"body":base64url}      one line
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_client.h"
#include "wire/otlp_exports.h"

namespace showcaller {

std::string to_line(const OtlpExport& taken);
// Corrupt: it is no such line.
Result<OtlpExport> export_from_line(std::string_view line);
// The request that hands it on.
HttpClientRequest request_of(OtlpExport taken);

}  // namespace showcaller
