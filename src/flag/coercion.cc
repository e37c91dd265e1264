// SPDX-License-Identifier: Apache-2.0
#include "flag/coercion.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "flag/context.h"

namespace showcaller {
namespace {

constexpr int kDepthMax = 128;
constexpr std::size_t kValuesMax = 1'000'000;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::string_view kObjectText = "[object Object]";

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A decimal literal at the start of the text; how much of it was read goes to *used (0: none).
double read_decimal(std::string_view text, std::size_t* used) {
  *used = 0;
  std::size_t i = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) i = 1;
  constexpr std::string_view kWord = "Infinity";
  if (text.substr(i, kWord.size()) == kWord) {
    *used = i + kWord.size();
    return negative ? -kInfinity : kInfinity;
  }
  // from_chars would take "inf" and "nan".
  const bool starts = i < text.size() && (is_digit(text[i]) || text[i] == '.');
  if (!starts) return kNan;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), number);
  if (error == std::errc::invalid_argument) return kNan;
  *used = std::size_t(end - text.data());
  if (error == std::errc::result_out_of_range) {
    const std::string_view read = text.substr(0, *used);
    const bool tiny = read.find("e-") != read.npos || read.find("E-") != read.npos ||
                      read.find_first_of("123456789") > read.find('.');
    number = tiny ? 0 : kInfinity;
  }
  return negative ? -number : number;
}

double read_radix(std::string_view digits, int radix) {
  if (digits.empty()) return kNan;
  double number = 0;
  for (const char c : digits) {
    const int digit = is_digit(c)            ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : 99;
    if (digit >= radix) return kNan;
    number = number * radix + digit;
  }
  return number;
}

// False where the value nests too deep. Counts its steps: what rules build may share parts without
// end.
bool append_text(std::string* out, const Value& value, int depth, Scratch* scratch) {
  if (!scratch->step()) return true;
  switch (value.kind()) {
    case ValueKind::Undefined:
      *out += "undefined";
      return true;
    case ValueKind::Null:
      *out += "null";
      return true;
    case ValueKind::Bool:
      *out += value.as_bool() ? "true" : "false";
      return true;
    case ValueKind::Number:
      *out += number_to_text(value.as_number());
      return true;
    case ValueKind::String:
      *out += value.as_string();
      return true;
    case ValueKind::Array:
    case ValueKind::JsonArray:
      break;
    default:
      *out += kObjectText;
      return true;
  }
  if (depth == 0) return false;
  for (std::size_t i = 0; i < value.array_size(); ++i) {
    if (i > 0) *out += ',';
    const Value item = value.array_at(i);
    if (!item.is_nullish() && !append_text(out, item, depth - 1, scratch)) return false;
  }
  return true;
}

bool is_object(const Value& value) {
  return value.kind() >= ValueKind::Array;
}

Result<json::value> to_json_within(const Value& value, int depth, std::size_t* left);

Result<json::value> array_to_json(const Value& value, int depth, std::size_t* left) {
  json::array out;
  out.reserve(value.array_size());
  for (std::size_t i = 0; i < value.array_size(); ++i) {
    TRY(auto item, to_json_within(value.array_at(i), depth - 1, left));
    out.push_back(std::move(item));
  }
  return out;
}

json::value number_to_json(double number) {
  if (!std::isfinite(number)) return nullptr;
  constexpr double kExact = 9007199254740992.0;
  if (std::trunc(number) == number && std::abs(number) <= kExact) return std::int64_t(number);
  return number;
}

Result<json::value> to_json_within(const Value& value, int depth, std::size_t* left) {
  if (depth == 0 || (*left)-- == 0)
    return fail(ErrorCode::Limit, "the value nests too deep or is too large");
  switch (value.kind()) {
    case ValueKind::Undefined:
    case ValueKind::Null:
      return json::value(nullptr);
    case ValueKind::Bool:
      return json::value(value.as_bool());
    case ValueKind::Number:
      return number_to_json(value.as_number());
    case ValueKind::String:
      return json::value(value.as_string());
    case ValueKind::Array:
    case ValueKind::JsonArray:
      return array_to_json(value, depth, left);
    case ValueKind::Object:
      return json::value(value.as_object());
    case ValueKind::Flagd:
      return json::value(json::object());
    case ValueKind::Reduce: {
      TRY(auto current, to_json_within(value.as_reduce().current, depth - 1, left));
      TRY(auto accumulator, to_json_within(value.as_reduce().accumulator, depth - 1, left));
      return json::value(
          json::object{{"current", std::move(current)}, {"accumulator", std::move(accumulator)}});
    }
    case ValueKind::Context: {
      const EvaluationFrame& frame = value.as_context();
      json::object out = frame.context.to_json();
      out[kFlagdKey] =
          json::object{{"flagKey", frame.flag.key}, {"timestamp", frame.timestamp_s()}};
      return json::value(std::move(out));
    }
  }
  return json::value(nullptr);
}

}  // namespace

bool is_truthy(const Value& value) {
  switch (value.kind()) {
    case ValueKind::Undefined:
    case ValueKind::Null:
      return false;
    case ValueKind::Bool:
      return value.as_bool();
    case ValueKind::Number:
      return value.as_number() != 0 && !std::isnan(value.as_number());
    case ValueKind::String:
      return !value.as_string().empty();
    case ValueKind::Array:
    case ValueKind::JsonArray:
      return value.array_size() > 0;
    default:
      return true;
  }
}

std::string number_to_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  if (number == 0) return "0";
  if (std::trunc(number) == number && std::abs(number) < 1e15) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::int64_t(number)).ptr;
    return {buffer, end};
  }
  // The shortest digits that read back the same, laid out as ECMA-262 Number::toString says.
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(number), std::chars_format::scientific)
          .ptr;
  const std::string_view text(buffer, std::size_t(end - buffer));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const std::string_view exponent_text = text.substr(e + 1 + (text[e + 1] == '+'));
  int exponent = 0;
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  const int n = exponent + 1;  // where the decimal point stands
  const int k = int(digits.size());
  std::string out = number < 0 ? "-" : "";
  if (k <= n && n <= 21) return out + digits + std::string(std::size_t(n - k), '0');
  if (0 < n && n <= 21)
    return out + digits.substr(0, std::size_t(n)) + "." + digits.substr(std::size_t(n));
  if (-6 < n && n <= 0) return out + "0." + std::string(std::size_t(-n), '0') + digits;
  out += digits.substr(0, 1);
  if (k > 1) out += "." + digits.substr(1);
  return out + "e" + (exponent < 0 ? "-" : "+") + std::to_string(std::abs(exponent));
}

double text_to_number(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return 0;
  if (text.size() > 2 && text[0] == '0') {
    switch (text[1]) {
      case 'x':
      case 'X':
        return read_radix(text.substr(2), 16);
      case 'o':
      case 'O':
        return read_radix(text.substr(2), 8);
      case 'b':
      case 'B':
        return read_radix(text.substr(2), 2);
      default:
        break;
    }
  }
  std::size_t used = 0;
  const double number = read_decimal(text, &used);
  return used == text.size() ? number : kNan;
}

double parse_float_prefix(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  std::size_t used = 0;
  const double number = read_decimal(text, &used);
  return used > 0 ? number : kNan;
}

std::string_view to_text(const Value& value, Scratch* scratch) {
  if (value.is(ValueKind::String)) return value.as_string();
  std::string text;
  if (!append_text(&text, value, kDepthMax, scratch))
    scratch->fail("a value nests too deep to be text");
  return scratch->copy(text);
}

double to_number(const Value& value, Scratch* scratch) {
  switch (value.kind()) {
    case ValueKind::Undefined:
      return kNan;
    case ValueKind::Null:
      return 0;
    case ValueKind::Bool:
      return value.as_bool() ? 1 : 0;
    case ValueKind::Number:
      return value.as_number();
    case ValueKind::String:
      return text_to_number(value.as_string());
    default:
      return text_to_number(to_text(value, scratch));
  }
}

double to_float(const Value& value, Scratch* scratch) {
  if (value.is(ValueKind::Number)) return value.as_number();
  if (value.is_nullish() || value.is(ValueKind::Bool)) return kNan;
  return parse_float_prefix(to_text(value, scratch));
}

bool strictly_equal(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case ValueKind::Undefined:
    case ValueKind::Null:
      return true;
    case ValueKind::Bool:
      return a.as_bool() == b.as_bool();
    case ValueKind::Number:
      return a.as_number() == b.as_number();
    case ValueKind::String:
      return a.as_string() == b.as_string();
    default:
      return a.is_identical(b);
  }
}

bool loosely_equal(const Value& a, const Value& b, Scratch* scratch) {
  if (a.kind() == b.kind()) return strictly_equal(a, b);
  if (a.is_nullish() || b.is_nullish()) return a.is_nullish() && b.is_nullish();
  if (is_object(a) && is_object(b)) return false;  // Two kinds of array are never one array.
  if (is_object(a) || is_object(b)) {
    // An object becomes text first; the other side is a primitive.
    const Value left = is_object(a) ? Value::string(to_text(a, scratch)) : a;
    const Value right = is_object(b) ? Value::string(to_text(b, scratch)) : b;
    return loosely_equal(left, right, scratch);
  }
  return to_number(a, scratch) == to_number(b, scratch);
}

bool is_ordered(const Value& a, const Value& b, Order order, Scratch* scratch) {
  const bool text_left = a.is(ValueKind::String) || is_object(a);
  const bool text_right = b.is(ValueKind::String) || is_object(b);
  if (text_left && text_right) {
    const int compared = to_text(a, scratch).compare(to_text(b, scratch));
    return order == Order::Less ? compared < 0 : compared <= 0;
  }
  const double left = to_number(a, scratch);
  const double right = to_number(b, scratch);
  return order == Order::Less ? left < right : left <= right;
}

Result<json::value> value_to_json(const Value& value) {
  std::size_t left = kValuesMax;
  return to_json_within(value, kDepthMax, &left);
}

}  // namespace showcaller
