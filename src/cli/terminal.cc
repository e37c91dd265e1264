// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/cli.h"

namespace showcaller {
namespace {

std::string cell_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_null()) return "-";
  if (value.is_object() && value.get_object().contains("name"))
    return cell_text(value.get_object().at("name"));
  return to_json_text(value);
}

// Readers of YAML 1.1 are many: what is a truth, a number (12:30 is one, to the base 60) or a date
// to any of them is not plain.
bool is_yaml_scalar(std::string_view text) {
  static constexpr std::string_view kWords[] = {"true", "false", "null", "yes", "no", "on",
                                                "off",  "y",     "n",    "~",   "=",  "<<"};
  std::string lower(text);
  for (char& c : lower) c = char(std::tolower(static_cast<unsigned char>(c)));
  if (std::ranges::find(kWords, lower) != std::end(kWords)) return true;
  const bool begins = std::string_view("0123456789+.").find(text.front()) != text.npos;
  return begins && (text.front() == '.' ||
                    lower.find_first_not_of("0123456789abcdefxo+-.:_tz ") == lower.npos);
}

bool plain_in_yaml(std::string_view text) {
  if (text.empty() || text.size() > 80) return false;
  static constexpr std::string_view kFirst = "-?:,[]{}#&*!|>'\"%@` ";
  if (kFirst.find(text.front()) != std::string_view::npos || text.back() == ' ' ||
      text.back() == ':')
    return false;
  const bool printable =
      std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return printable && !is_yaml_scalar(text) && text.find(": ") == std::string_view::npos &&
         text.find(" #") == std::string_view::npos;
}

void append_yaml(std::string* out, const json::value& value, int depth, bool after_dash) {
  const std::string indent(std::size_t(depth) * 2, ' ');
  if (value.is_object() && !value.get_object().empty()) {
    bool first = after_dash;
    for (const auto& [key, item] : value.get_object()) {
      if (!std::exchange(first, false)) *out += indent;
      const std::string name(key);
      *out += plain_in_yaml(name) ? name : to_json_text(json::value(name));
      const bool nested = (item.is_object() && !item.get_object().empty()) ||
                          (item.is_array() && !item.get_array().empty());
      *out += nested ? ":\n" : ": ";
      append_yaml(out, item, nested ? depth + 1 : 0, false);
    }
  } else if (value.is_array() && !value.get_array().empty()) {
    for (const auto& item : value.get_array()) {
      *out += indent + "- ";
      append_yaml(out, item, depth + 1, true);
    }
  } else if (value.is_string() && plain_in_yaml(value.get_string())) {
    *out += std::string(value.get_string()) + "\n";
  } else {
    *out += to_json_text(value) + "\n";
  }
}

}  // namespace

bool on_terminal(int descriptor) {
  return isatty(descriptor) == 1;
}

std::string coloured(std::string_view text, std::string_view colour) {
  static const bool kColours = on_terminal(1) && std::getenv("NO_COLOR") == nullptr;
  if (!kColours) return std::string(text);
  std::string_view code = "0";
  if (colour == "red") code = "31";
  if (colour == "green") code = "32";
  if (colour == "yellow") code = "33";
  if (colour == "blue") code = "34";
  if (colour == "dim") code = "2";
  if (colour == "bold") code = "1";
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

std::string phase_coloured(std::string_view phase) {
  if (phase == "Live" || phase == "Ready") return coloured(phase, "green");
  if (phase == "RollingBack" || phase == "RollbackStuck" || phase == "Rejected")
    return coloured(phase, "red");
  if (phase == "RollingOut" || phase == "Preparing") return coloured(phase, "blue");
  return std::string(phase);
}

std::string table_text(const json::array& rows, const std::vector<std::string>& columns) {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::string> header;
  for (std::string column : columns) {
    std::transform(column.begin(), column.end(), column.begin(),
                   [](unsigned char c) { return char(std::toupper(c)); });
    header.push_back(std::move(column));
  }
  cells.push_back(header);
  for (const json::value& row : rows) {
    std::vector<std::string> line;
    for (const std::string& column : columns) {
      const json::value* value = row.is_object() ? row.get_object().if_contains(column) : nullptr;
      line.push_back(value ? cell_text(*value) : "-");
    }
    cells.push_back(std::move(line));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string out;
  for (std::size_t r = 0; r < cells.size(); ++r) {
    std::string text;
    for (std::size_t i = 0; i < cells[r].size(); ++i) {
      const std::string padded = fmt::format("{:<{}}", cells[r][i], widths[i]);
      const bool phase = r > 0 && columns[i] == "phase";
      text += phase ? phase_coloured(cells[r][i]) + padded.substr(cells[r][i].size()) : padded;
      if (i + 1 < cells[r].size()) text += "  ";
    }
    while (text.ends_with(' ')) text.pop_back();
    out += (r == 0 ? coloured(text, "bold") : text) + "\n";
  }
  return out;
}

std::string yaml_text(const json::value& value) {
  std::string out;
  append_yaml(&out, value, 0, false);
  return out;
}

void print_value(const json::value& value, OutputForm form,
                 const std::vector<std::string>& columns) {
  std::string out;
  if (form == OutputForm::Json)
    out = to_pretty_json_text(value) + "\n";
  else if (form == OutputForm::Yaml || !value.is_array() || columns.empty())
    out = yaml_text(value);
  else
    out = table_text(value.get_array(), columns);
  std::fwrite(out.data(), 1, out.size(), stdout);
}

int failed(const Error& error) {
  print_error(error);
  return exit_of(error);
}

void say(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

void print_error(const Error& error) {
  std::fflush(stdout);
  const std::string text = fmt::format("showcaller: {}\n", error.message);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int exit_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::Unavailable:
      return kExitUnreachable;
    case ErrorCode::Invalid:
      return kExitUsage;
    case ErrorCode::Internal:
      return kExitInternal;
    default:
      return kExitRefused;
  }
}

}  // namespace showcaller
