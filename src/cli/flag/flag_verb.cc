// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flag_verb.h"

#include <cmath>
#include <iostream>
#include <string_view>

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/terminal.h"
#include "cli/text_input.h"
#include "flag/coercion.h"
#include "flag/logic.h"

namespace showcaller {
namespace {

void append_javascript(std::string* out, const json::value& value) {
  if (const auto* list = value.if_array()) {
    *out += '[';
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (i > 0) *out += ',';
      append_javascript(out, (*list)[i]);
    }
    *out += ']';
  } else if (const auto* object = value.if_object()) {
    *out += '{';
    for (const auto& [key, member] : *object) {
      if (out->back() != '{') *out += ',';
      append_json_string(out, key);
      *out += ':';
      append_javascript(out, member);
    }
    *out += '}';
  } else if (value.is_number()) {
    const double number = value.to_number<double>();
    *out += std::isfinite(number) ? number_to_text(number) : "null";
  } else {
    *out += to_json_text(value);
  }
}

Result<json::value> result_of(std::string_view line) {
  TRY(const json::value parsed, parse_json(line));
  const auto* object = parsed.if_object();
  const json::value* rule = object != nullptr ? get_if(*object, "rule") : nullptr;
  if (rule == nullptr) {
    return fail(
        ErrorCode::Invalid,
        R"(there is no `rule`; a line is {"rule": {"==": [{"var": "a"}, 1]}, "data": {"a": 1}})");
  }
  const json::value* data = get_if(*object, "data");
  TRY(const Logic logic, Logic::compile(*rule));
  return logic.apply(data != nullptr ? *data : json::value(nullptr));
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == line.npos;
}

}  // namespace

std::string javascript_json_text(const json::value& value) {
  std::string out;
  append_javascript(&out, value);
  return out;
}

Result<std::size_t> apply_rules(std::istream& in, std::ostream& out, std::ostream& errors) {
  std::size_t number = 0, failures = 0;
  // A reader that went away, as head does, wants no more.
  for (std::string line; out && std::getline(in, line);) {
    ++number;
    if (is_blank(line)) continue;
    const auto result = result_of(line);
    if (result) {
      out << javascript_json_text(*result) << '\n';
    } else {
      ++failures;
      out << to_json_text(json::object{{"error", result.error().message}}) << '\n';
      errors << fmt::format("showcaller: line {}: {}\n", number, result.error().message);
    }
    if (in.rdbuf()->in_avail() <= 0) out.flush();
  }
  return failures;
}

int flag_rule_verb(const std::string& path) {
  const auto failures = with_text_input(path, [](std::istream& in) {
    auto told = apply_rules(in, std::cout, std::cerr);
    std::cout.flush();
    return told;
  });
  if (!failures) return failed(failures.error());
  return *failures == 0 ? kExitOk : kExitRefused;
}

}  // namespace showcaller
