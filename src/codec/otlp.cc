// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp.h"

#include <algorithm>

#include "base/json.h"

namespace showcaller {
namespace {

// ---- protobuf, as far as answers need it ----

void append_varint(std::string* out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out += char(value | 0x80);
  *out += char(value);
}
void append_number_field(std::string* out, int number, std::uint64_t value) {
  if (value == 0) return;
  append_varint(out, std::uint64_t(number) << 3);
  append_varint(out, value);
}
void append_bytes_field(std::string* out, int number, std::string_view bytes) {
  if (bytes.empty()) return;
  append_varint(out, std::uint64_t(number) << 3 | 2);
  append_varint(out, bytes.size());
  *out += bytes;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

}  // namespace

std::optional<OtlpEncoding> otlp_encoding(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  std::ranges::transform(type, type.begin(), lower);
  if (type == "application/x-protobuf") return OtlpEncoding::Protobuf;
  if (type == "application/json") return OtlpEncoding::Json;
  return std::nullopt;
}

std::string_view content_type_of(OtlpEncoding encoding) {
  return encoding == OtlpEncoding::Json ? "application/json" : "application/x-protobuf";
}

Status decode_otlp_metrics(std::string_view body, OtlpEncoding encoding, const OtlpLimits& limits,
                           DataPoints* out) {
  return encoding == OtlpEncoding::Json ? decode_otlp_json(body, limits, out)
                                        : decode_otlp_protobuf(body, limits, out);
}

std::string encode_otlp_response(const OtlpPartialSuccess& partial, OtlpEncoding encoding) {
  const bool whole = partial.rejected == 0 && partial.message.empty();
  if (encoding == OtlpEncoding::Json) {
    if (whole) return "{}";
    // Whole numbers of 64 bits are text in protobuf's JSON.
    return to_json_text(json::object{
        {"partialSuccess", json::object{{"rejectedDataPoints", std::to_string(partial.rejected)},
                                        {"errorMessage", partial.message}}}});
  }
  std::string inner, out;
  append_number_field(&inner, 1, std::uint64_t(partial.rejected));
  append_bytes_field(&inner, 2, partial.message);
  append_bytes_field(&out, 1, inner);
  return out;
}

std::string encode_rpc_status(RpcCode code, std::string_view message, OtlpEncoding encoding) {
  if (encoding == OtlpEncoding::Json) {
    return to_json_text(json::object{{"code", std::int32_t(code)}, {"message", message}});
  }
  std::string out;
  append_number_field(&out, 1, std::uint64_t(code));
  append_bytes_field(&out, 2, message);
  return out;
}

}  // namespace showcaller
