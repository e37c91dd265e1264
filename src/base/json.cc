// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"

namespace showcaller {
namespace {

enum class Style { Compact, Canonical, Pretty };

void append_double(std::string* out, double value) {
  if (!std::isfinite(value)) {
    *out += "null";
    return;
  }
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  const std::string_view text(buffer, std::size_t(end - buffer));
  *out += text;
  // Keep it a double when read again.
  if (text.find_first_of(".e") == std::string_view::npos) *out += ".0";
}

class Writer {
 public:
  Writer(std::string* out, Style style) : out_(*out), style_(style) {}

  void write(const json::value& value, int depth) {
    switch (value.kind()) {
      case json::kind::null:
        out_ += "null";
        break;
      case json::kind::bool_:
        out_ += value.get_bool() ? "true" : "false";
        break;
      case json::kind::int64:
        append_number(value.get_int64());
        break;
      case json::kind::uint64:
        append_number(value.get_uint64());
        break;
      case json::kind::double_:
        append_double(&out_, value.get_double());
        break;
      case json::kind::string:
        append_json_string(&out_, value.get_string());
        break;
      case json::kind::array:
        write_array(value.get_array(), depth);
        break;
      case json::kind::object:
        write_object(value.get_object(), depth);
        break;
    }
  }

 private:
  void write_array(const json::array& array, int depth) {
    out_ += '[';
    bool first = true;
    for (const auto& item : array) {
      if (!std::exchange(first, false)) out_ += ',';
      line(depth + 1);
      write(item, depth + 1);
    }
    if (!array.empty()) line(depth);
    out_ += ']';
  }

  void write_object(const json::object& object, int depth) {
    out_ += '{';
    bool first = true;
    if (style_ == Style::Canonical) {
      std::vector<const json::key_value_pair*> members;
      members.reserve(object.size());
      for (const auto& member : object) members.push_back(&member);
      std::sort(members.begin(), members.end(),
                [](auto* a, auto* b) { return a->key() < b->key(); });
      for (const auto* member : members) write_member(*member, depth, &first);
    } else {
      for (const auto& member : object) write_member(member, depth, &first);
    }
    if (!first) line(depth);
    out_ += '}';
  }

  void write_member(const json::key_value_pair& member, int depth, bool* first) {
    if (!std::exchange(*first, false)) out_ += ',';
    line(depth + 1);
    append_json_string(&out_, member.key());
    out_ += style_ == Style::Pretty ? ": " : ":";
    write(member.value(), depth + 1);
  }

  void append_number(auto number) {
    const fmt::format_int text(number);
    out_.append(text.data(), text.size());
  }

  void line(int depth) {
    if (style_ != Style::Pretty) return;
    out_ += '\n';
    out_.append(std::size_t(depth) * 2, ' ');
  }

  std::string& out_;
  Style style_;
};

constexpr std::array<bool, 256> kStandsForItself = [] {
  std::array<bool, 256> stands{};
  for (int c = 0x20; c < 0x80; ++c) stands[std::size_t(c)] = c != '"' && c != '\\';
  return stands;
}();

// What a byte is written as that cannot stand for itself.
void append_escaped(std::string* out, std::uint8_t c) {
  static constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
  switch (c) {
    case '"':
    case '\\':
      *out += '\\';
      *out += char(c);
      break;
    case '\n':
      *out += "\\n";
      break;
    case '\r':
      *out += "\\r";
      break;
    case '\t':
      *out += "\\t";
      break;
    default:
      if (c >= 0x80) {
        *out += kReplacement;
      } else {
        fmt::format_to(std::back_inserter(*out), "\\u{:04x}", c);
      }
  }
}

std::string write(const json::value& value, Style style) {
  std::string out;
  Writer(&out, style).write(value, 0);
  return out;
}

}  // namespace

std::string to_json_text(const json::value& value) {
  return write(value, Style::Compact);
}
std::string to_canonical_json_text(const json::value& value) {
  return write(value, Style::Canonical);
}
std::string to_pretty_json_text(const json::value& value) {
  return write(value, Style::Pretty);
}

void append_json_string(std::string* out, std::string_view text) {
  *out += '"';
  std::size_t plain = 0;  // where the text begins that is not written yet
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = std::uint8_t(text[i]);
    if (kStandsForItself[c]) continue;
    if (c >= 0x80) {
      if (const std::size_t length = utf8_length(text, i); length > 0) {
        i += length - 1;
        continue;
      }
    }
    out->append(text, plain, i - plain);
    plain = i + 1;
    append_escaped(out, c);
  }
  out->append(text, plain);
  *out += '"';
}

const json::value* get_if(const json::object& object, std::string_view key) {
  return object.if_contains(key);
}

std::string get_string(const json::object& object, std::string_view key,
                       std::string_view fallback) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string(fallback);
}

std::int64_t get_int(const json::object& object, std::string_view key, std::int64_t fallback) {
  const json::value* value = object.if_contains(key);
  if (!value) return fallback;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64()) return std::int64_t(value->get_uint64());
  return fallback;
}

double get_double(const json::object& object, std::string_view key, double fallback) {
  const json::value* value = object.if_contains(key);
  if (!value) return fallback;
  if (value->is_double()) return value->get_double();
  if (value->is_int64()) return double(value->get_int64());
  if (value->is_uint64()) return double(value->get_uint64());
  return fallback;
}

bool get_bool(const json::object& object, std::string_view key, bool fallback) {
  const json::value* value = object.if_contains(key);
  return value && value->is_bool() ? value->get_bool() : fallback;
}

}  // namespace showcaller
