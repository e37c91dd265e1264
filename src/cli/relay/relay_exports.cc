// SPDX-License-Identifier: Apache-2.0
#include "cli/relay/relay_exports.h"

#include "base/base64url.h"
#include "base/json.h"

namespace showcaller {

std::string to_line(const OtlpExport& taken) {
  return to_json_text(json::object{{"type", taken.type},
                                   {"encoding", taken.encoding},
                                   {"sender", taken.sender.name},
                                   {"server", taken.sender.server},
                                   {"body", to_base64url(taken.body)}});
}

Result<OtlpExport> export_from_line(std::string_view line) {
  const auto value = parse_json(line, kOwnJson);
  if (!value || !value->is_object())
    return fail(ErrorCode::Corrupt, "an export that waited is no JSON object; it is given up");
  const json::object& object = value->get_object();
  auto body = from_base64url(get_string(object, "body"));
  if (!body) return fail(ErrorCode::Corrupt, "an export that waited has no body; it is given up");
  return OtlpExport{.type = get_string(object, "type"),
                    .encoding = get_string(object, "encoding"),
                    .sender = {get_string(object, "sender"), get_bool(object, "server")},
                    .body = *std::move(body)};
}

HttpClientRequest request_of(OtlpExport taken) {
  HttpClientRequest request{.method = "POST",
                            .target = std::string(kOtlpMetricsPath),
                            .headers = {{"Content-Type", taken.type}},
                            .body = std::move(taken.body)};
  if (!taken.encoding.empty()) request.headers.add("Content-Encoding", taken.encoding);
  request.headers.add(kOtlpSenderHeader, taken.sender.name);
  request.headers.add(kOtlpTrustHeader, taken.sender.server ? "server" : "client");
  return request;
}

}  // namespace showcaller
