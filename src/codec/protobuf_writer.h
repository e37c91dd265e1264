// SPDX-License-Identifier: Apache-2.0
// Protocol Buffers' wire format, written field by field. Source: protobuf.dev, "Encoding".
//
// Fields with the value that a reader assumes (0, "") are left out, as proto3 does. Threads: none.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace showcaller {

class ProtobufWriter {
 public:
  explicit ProtobufWriter(std::string* out) : out_(*out) {}

  void varint(std::uint32_t field, std::uint64_t value) {
    if (value == 0) return;
    tag(field, 0);
    append_varint(value);
  }
  void fixed64(std::uint32_t field, std::uint64_t value) {
    if (value == 0) return;
    tag(field, 1);
    append_little_endian(value, 8);
  }
  void fixed32(std::uint32_t field, std::uint32_t value) {
    if (value == 0) return;
    tag(field, 5);
    append_little_endian(value, 4);
  }
  void bytes(std::uint32_t field, std::string_view value) {
    if (!value.empty()) message(field, value);
  }
  // Also one that is empty: that it is there says something. Members of a oneof are of that kind.
  void message(std::uint32_t field, std::string_view encoded) {
    tag(field, 2);
    append_varint(encoded.size());
    out_ += encoded;
  }
  void one_of_varint(std::uint32_t field, std::uint64_t value) {
    tag(field, 0);
    append_varint(value);
  }
  void one_of_double(std::uint32_t field, double value) {
    tag(field, 1);
    append_little_endian(std::bit_cast<std::uint64_t>(value), 8);
  }

 private:
  void tag(std::uint32_t field, std::uint32_t wire_type) { append_varint(field << 3 | wire_type); }
  void append_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += char(value | 0x80);
    out_ += char(value);
  }
  void append_little_endian(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out_ += char(value >> (8 * i));
  }

  std::string& out_;
};

}  // namespace showcaller
