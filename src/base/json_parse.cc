// SPDX-License-Identifier: Apache-2.0
// Text to values. Boost's own reader may be off by one in the last digit of a double; a record that
// is read again has to be what was written, so doubles are read by from_chars here.
#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

using boost::system::error_code;
using json::string_view;

class ValueBuilder {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  explicit ValueBuilder(json::storage_ptr storage) { stack_.reset(std::move(storage)); }
  json::value release() { return stack_.release(); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t size, error_code&) {
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t size, error_code&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(string_view text, std::size_t, error_code&) {
    stack_.push_chars(text);
    return true;
  }
  bool on_key(string_view text, std::size_t, error_code&) {
    stack_.push_key(text);
    return true;
  }
  bool on_string_part(string_view text, std::size_t, error_code&) {
    stack_.push_chars(text);
    return true;
  }
  bool on_string(string_view text, std::size_t, error_code&) {
    stack_.push_string(text);
    return true;
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, string_view, error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, string_view, error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  // Out of range (1e999) stays what Boost makes of it.
  bool on_double(double nearly, string_view text, error_code&) {
    double exact = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exact);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    stack_.push_double(whole ? exact : nearly);
    return true;
  }
  bool on_bool(bool value, error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  json::value_stack stack_;
};

}  // namespace

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits,
                               json::storage_ptr storage) {
  if (text.size() > limits.bytes_max) {
    return fail(ErrorCode::Limit, fmt::format("JSON of {} bytes is over the limit of {} bytes",
                                              text.size(), limits.bytes_max));
  }
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::basic_parser<ValueBuilder> parser(options, std::move(storage));
  error_code error;
  std::size_t end = parser.write_some(false, text.data(), text.size(), error);
  if (!error) {
    while (end < text.size() &&
           std::string_view(" \t\r\n").find(text[end]) != std::string_view::npos)
      ++end;
    if (end < text.size()) error = json::error::extra_data;
  }
  if (error) {
    const std::string_view before = text.substr(0, end);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return fail(ErrorCode::Invalid, fmt::format("{}:{}: not valid JSON: {}", line,
                                                end - line_start + 1, error.message()));
  }
  return parser.handler().release();
}

}  // namespace showcaller
