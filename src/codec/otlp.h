// SPDX-License-Identifier: Apache-2.0
// OTLP/HTTP: exports of metrics in, and what is answered to them; as protobuf or as JSON.
//
// Both decoders read in one pass into a DataPoints, whose vectors they fill; nothing else is
// allocated but for texts in JSON that have escapes. Fields that are not known are passed over.
// Texts of the points are views into `body`. Errors say where: at which byte.
//
// Source: opentelemetry-proto 1.x, collector/metrics/v1 and metrics/v1; "OTLP Specification 1.x",
// OTLP/HTTP (answers, google.rpc.Status, JSON with hex ids and numbers as text). Threads: none.
// Limits: OtlpLimits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/otlp_partial_success.h"
#include "evidence/data_points.h"

namespace showcaller {

struct OtlpLimits {
  std::size_t points_max = 200'000;
  std::size_t attributes_max = 1'000'000;
  std::size_t buckets_max = 2'000'000;
  int depth_max = 32;  // of what is passed over
};

enum class OtlpEncoding : std::uint8_t { Protobuf, Json };
// Of a Content-Type, whatever its parameters; absent: another one.
std::optional<OtlpEncoding> otlp_encoding(std::string_view content_type);
std::string_view content_type_of(OtlpEncoding encoding);

// Invalid: it is no export. Limit: it is larger than allowed.
Status decode_otlp_metrics(std::string_view body, OtlpEncoding encoding, const OtlpLimits& limits,
                           DataPoints* out);
Status decode_otlp_protobuf(std::string_view body, const OtlpLimits& limits, DataPoints* out);
Status decode_otlp_json(std::string_view body, const OtlpLimits& limits, DataPoints* out);

std::string encode_otlp_response(const OtlpPartialSuccess& partial, OtlpEncoding encoding);
// google.rpc.Status. Source: googleapis, google/rpc/code.proto.
enum class RpcCode : std::int32_t {
  InvalidArgument = 3,
  ResourceExhausted = 8,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
};
std::string encode_rpc_status(RpcCode code, std::string_view message, OtlpEncoding encoding);

}  // namespace showcaller
