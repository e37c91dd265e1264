// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_spans.h"

#include <optional>

#include "base/hash.h"
#include "codec/protobuf_writer.h"

namespace showcaller {
namespace {

// Flags of a span or link: W3C's recorded (bit 0), that it is known whether the parent is remote
// (bit 8), and that it is (bit 9).
constexpr std::uint32_t kRecorded = 0x001, kKnown = 0x100, kRemote = 0x200;

std::string bytes_of(std::string_view hex) {
  return from_hex(hex).value_or("");
}

std::string_view cut(std::string_view text) {
  if (text.size() <= kOtlpTextMax) return text;
  std::size_t end = kOtlpTextMax;
  while (end > 0 && (std::uint8_t(text[end]) & 0xc0) == 0x80)
    --end;  // Within a character of UTF-8.
  return text.substr(0, end);
}

std::uint64_t nanoseconds(Instant at) {
  return std::uint64_t(std::max<std::int64_t>(0, to_ms(at))) * 1'000'000;
}

// AnyValue: string_value = 1, bool_value = 2, int_value = 3, double_value = 4.
std::string any_value(const SpanValue& value) {
  std::string out;
  ProtobufWriter writer(&out);
  if (const auto* text = std::get_if<std::string>(&value)) writer.message(1, cut(*text));
  if (const auto* yes = std::get_if<bool>(&value)) writer.one_of_varint(2, *yes ? 1 : 0);
  if (const auto* whole = std::get_if<std::int64_t>(&value))
    writer.one_of_varint(3, std::uint64_t(*whole));
  if (const auto* number = std::get_if<double>(&value)) writer.one_of_double(4, *number);
  return out;
}

// KeyValue: key = 1, value = 2.
void put_attributes(ProtobufWriter* writer, std::uint32_t field, const SpanAttributes& attributes) {
  for (const auto& [key, value] : attributes) {
    std::string pair;
    ProtobufWriter inner(&pair);
    inner.bytes(1, key);
    inner.message(2, any_value(value));
    writer->message(field, pair);
  }
}

// Link: trace_id = 1, span_id = 2, trace_state = 3, attributes = 4, flags = 6.
std::string link_message(const SpanLink& link) {
  std::string out;
  ProtobufWriter writer(&out);
  writer.bytes(1, bytes_of(link.trace));
  writer.bytes(2, bytes_of(link.span));
  writer.bytes(3, link.state);
  put_attributes(&writer, 4, link.attributes);
  writer.fixed32(6, kRecorded);
  return out;
}

// Span: trace_id = 1, span_id = 2, trace_state = 3, parent_span_id = 4, name = 5, kind = 6,
// start = 7, end = 8, attributes = 9, links = 13, status = 15 {message = 2, code = 3}, flags = 16.
std::string span_message(const Span& span) {
  std::string out;
  ProtobufWriter writer(&out);
  writer.bytes(1, bytes_of(span.trace));
  writer.bytes(2, bytes_of(span.id));
  writer.bytes(3, span.state);
  writer.bytes(4, bytes_of(span.parent));
  writer.bytes(5, cut(span.name));
  writer.varint(6, std::uint64_t(span.kind));
  writer.fixed64(7, nanoseconds(span.start));
  writer.fixed64(8, nanoseconds(std::max(span.start, span.end)));
  put_attributes(&writer, 9, span.attributes);
  for (const SpanLink& link : span.links) writer.message(13, link_message(link));
  std::string status;
  ProtobufWriter inner(&status);
  inner.bytes(2, cut(span.status_text));
  inner.varint(3, std::uint64_t(span.status));
  writer.bytes(15, status);
  const bool remote = span.kind == SpanKind::Server && !span.parent.empty();
  writer.fixed32(16, kRecorded | kKnown | (remote ? kRemote : 0));
  return out;
}

// As much of the wire format as the answer needs.
class ProtobufCursor {
 public:
  explicit ProtobufCursor(std::string_view bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }

  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = std::uint8_t(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> take(std::uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  // What a field of the wire type holds; of numbers nothing but that it was there.
  std::optional<std::string_view> skip(std::uint64_t wire_type) {
    if (wire_type == 0) return varint() ? std::optional<std::string_view>("") : std::nullopt;
    if (wire_type == 1) return take(8);
    if (wire_type == 5) return take(4);
    if (wire_type != 2) return std::nullopt;
    const auto size = varint();
    return size ? take(*size) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string encode_otlp_spans(const SpanAttributes& resource, const OtlpScope& scope,
                              std::span<const Span> spans) {
  std::string resource_text, scope_text, scope_spans, resource_spans, out;
  ProtobufWriter resource_writer(&resource_text);
  put_attributes(&resource_writer, 1, resource);
  ProtobufWriter scope_writer(&scope_text);
  scope_writer.bytes(1, scope.name);
  scope_writer.bytes(2, scope.version);
  ProtobufWriter scope_spans_writer(&scope_spans);
  scope_spans_writer.message(1, scope_text);
  for (const Span& span : spans) scope_spans_writer.message(2, span_message(span));
  ProtobufWriter resource_spans_writer(&resource_spans);
  resource_spans_writer.message(1, resource_text);
  resource_spans_writer.message(2, scope_spans);
  ProtobufWriter(&out).message(1, resource_spans);
  return out;
}

// partial_success = 1 {rejected_spans = 1, error_message = 2}.
Result<OtlpPartialSuccess> decode_otlp_answer(std::string_view body) {
  const auto broken = fail(ErrorCode::Invalid, "the collector's answer is no OTLP in protobuf");
  OtlpPartialSuccess out;
  ProtobufCursor cursor(body);
  while (!cursor.at_end()) {
    const auto tag = cursor.varint();
    const auto field = tag ? cursor.skip(*tag & 7) : std::nullopt;
    if (!field) return broken;
    if (*tag != (1u << 3 | 2u)) continue;
    ProtobufCursor inner(*field);
    while (!inner.at_end()) {
      const auto inner_tag = inner.varint();
      if (!inner_tag) return broken;
      if (*inner_tag == (1u << 3)) {
        const auto rejected = inner.varint();
        if (!rejected) return broken;
        out.rejected = std::int64_t(*rejected);
        continue;
      }
      const auto text = inner.skip(*inner_tag & 7);
      if (!text) return broken;
      if (*inner_tag == (2u << 3 | 2u)) out.message = std::string(*text);
    }
  }
  return out;
}

}  // namespace showcaller
