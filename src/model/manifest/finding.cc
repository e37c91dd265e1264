// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/finding.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::size_t kSourceLineShownMax = 160;

std::optional<std::string_view> source_line(std::string_view text, int line) {
  for (int at = 1; at < line; ++at) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

// Blanks up to the column; tabs stay tabs, so that the caret stands below its character.
std::string caret_indent(std::string_view line, int column) {
  std::string out;
  int at = 1;
  for (const char c : line) {
    if (!starts_character(c)) continue;
    if (at++ >= column) break;
    out += c == '\t' ? '\t' : ' ';
  }
  while (at++ < column) out += ' ';
  return out;
}

void append_excerpt(std::string* out, const Finding& finding, std::string_view text) {
  const auto line = source_line(text, finding.line);
  if (!line || line->size() > kSourceLineShownMax) return;
  const std::string number = std::to_string(finding.line);
  *out += fmt::format("  {} | {}\n", number, *line);
  *out += fmt::format("  {} | {}^\n", std::string(number.size(), ' '),
                      caret_indent(*line, finding.column));
}

std::string place(const Finding& finding) {
  if (finding.line == 0) return finding.file;
  return fmt::format("{}:{}:{}", finding.file, finding.line, finding.column);
}

std::string counted(std::ptrdiff_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

}  // namespace

bool has_errors(std::span<const Finding> findings) {
  return std::ranges::any_of(findings,
                             [](const Finding& f) { return f.severity == Severity::Error; });
}

std::string format_finding_line(const Finding& finding) {
  std::string out = place(finding);
  if (!out.empty()) out += ": ";
  if (!finding.path.empty()) out += finding.path + ": ";
  out += finding.message;
  if (!finding.hint.empty()) out += "; " + finding.hint;
  return out;
}

std::string format_findings(std::span<const Finding> findings, std::span<const SourceFile> sources,
                            bool colours) {
  const std::string_view bold = colours ? "\x1b[1m" : "";
  const std::string_view red = colours ? "\x1b[1;31m" : "";
  const std::string_view yellow = colours ? "\x1b[1;33m" : "";
  const std::string_view plain = colours ? "\x1b[0m" : "";
  std::string out;
  for (const Finding& finding : findings) {
    const bool error = finding.severity == Severity::Error;
    const std::string where = place(finding);
    if (!where.empty()) out += fmt::format("{}{}:{} ", bold, where, plain);
    out += fmt::format("{}{}:{} ", error ? red : yellow, error ? "error" : "warning", plain);
    if (!finding.path.empty()) out += finding.path + ": ";
    out += finding.message + "\n";
    const auto source = std::ranges::find(sources, finding.file, &SourceFile::name);
    if (finding.line > 0 && source != sources.end()) append_excerpt(&out, finding, source->text);
    if (!finding.hint.empty()) out += "  hint: " + finding.hint + "\n";
  }
  if (findings.empty()) return out;
  const auto errors = std::ranges::count(findings, Severity::Error, &Finding::severity);
  const auto warnings = static_cast<std::ptrdiff_t>(findings.size()) - errors;
  out += "\n" + counted(errors, "error");
  if (warnings > 0) out += ", " + counted(warnings, "warning");
  return out + "\n";
}

json::array findings_to_json(std::span<const Finding> findings) {
  json::array out;
  for (const Finding& finding : findings) {
    json::object object;
    object["severity"] = finding.severity == Severity::Error ? "error" : "warning";
    object["file"] = finding.file;
    object["line"] = finding.line;
    object["column"] = finding.column;
    object["path"] = finding.path;
    object["message"] = finding.message;
    object["hint"] = finding.hint;
    out.push_back(std::move(object));
  }
  return out;
}

}  // namespace showcaller
