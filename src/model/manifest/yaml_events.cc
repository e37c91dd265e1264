// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/yaml_events.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <libfyaml.h>

namespace showcaller::manifest {
namespace {

using Type = YamlEvent::Type;

std::string text_of(fy_token* token) {
  if (token == nullptr) return {};
  std::size_t size = 0;
  const char* text = fy_token_get_text(token, &size);
  return text == nullptr ? std::string() : std::string(text, size);
}

// A text in single quotes, between them: two quotes are one, a line break is a space, and of
// several in a row each but the first is itself. libfyaml 0.7.12 loses the memory with which it
// reads a text that has more than a few quotes in it.
std::string unquoted(std::string_view raw) {
  std::string out;
  std::size_t blank = 0;  // at the end of `out`, spaces that a line break would take
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\n' && raw[i] != '\r') {
      blank = raw[i] == ' ' || raw[i] == '\t' ? blank + 1 : 0;
      out += raw[i];
      if (raw[i] == '\'') ++i;
      continue;
    }
    out.resize(out.size() - std::exchange(blank, 0));
    const std::size_t end = std::min(raw.find_first_not_of(" \t\r\n", i), raw.size());
    const auto breaks =
        std::max<std::ptrdiff_t>(1, std::ranges::count(raw.substr(i, end - i), '\n'));
    out += breaks == 1 ? std::string(" ") : std::string(std::size_t(breaks - 1), '\n');
    i = end - 1;
  }
  return out;
}

std::string scalar_text(fy_token* token, std::string_view source) {
  if (token == nullptr || fy_token_scalar_style(token) != FYSS_SINGLE_QUOTED) return text_of(token);
  const std::size_t begin = fy_token_start_mark(token)->input_pos;
  return unquoted(source.substr(begin, fy_token_end_mark(token)->input_pos - begin));
}

std::optional<Type> type_of(fy_event_type type) {
  switch (type) {
    case FYET_DOCUMENT_START:
      return Type::DocumentStart;
    case FYET_DOCUMENT_END:
      return Type::DocumentEnd;
    case FYET_MAPPING_START:
      return Type::MapStart;
    case FYET_MAPPING_END:
      return Type::MapEnd;
    case FYET_SEQUENCE_START:
      return Type::ListStart;
    case FYET_SEQUENCE_END:
      return Type::ListEnd;
    case FYET_SCALAR:
      return Type::Scalar;
    case FYET_ALIAS:
      return Type::Alias;
    default:
      return std::nullopt;
  }
}

YamlEvent convert(fy_event* event, Type type, std::string_view source) {
  YamlEvent out;
  out.type = type;
  if (const fy_mark* mark = fy_event_start_mark(event)) {
    out.line = mark->line + 1;
    out.column = mark->column + 1;
  }
  switch (type) {
    case Type::Scalar:
      out.text = scalar_text(event->scalar.value, source);
      out.plain = event->scalar.value == nullptr ||
                  fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN;
      out.anchor = text_of(event->scalar.anchor);
      out.tag = text_of(event->scalar.tag);
      break;
    case Type::MapStart:
      out.anchor = text_of(event->mapping_start.anchor);
      out.tag = text_of(event->mapping_start.tag);
      break;
    case Type::ListStart:
      out.anchor = text_of(event->sequence_start.anchor);
      out.tag = text_of(event->sequence_start.tag);
      break;
    case Type::Alias:
      out.text = text_of(event->alias.anchor);
      --out.column;  // The mark stands behind the '*'.
      break;
    default:
      break;
  }
  return out;
}

struct DiagnosticsEnd {
  void operator()(fy_diag* diagnostics) const { fy_diag_destroy(diagnostics); }
};
struct ParserEnd {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};

std::unique_ptr<fy_diag, DiagnosticsEnd> silent_diagnostics() {
  fy_diag_cfg config;
  fy_diag_cfg_default(&config);
  config.fp = nullptr;
  config.output_fn = [](fy_diag*, void*, const char*, std::size_t) {};
  config.colorize = false;
  std::unique_ptr<fy_diag, DiagnosticsEnd> out(fy_diag_create(&config));
  fy_diag_set_collect_errors(out.get(), true);
  return out;
}

void collect_errors(fy_diag* diagnostics, std::vector<YamlError>* errors) {
  void* at = nullptr;
  while (const fy_diag_error* error = fy_diag_errors_iterate(diagnostics, &at)) {
    if (error->type != FYET_ERROR) continue;
    errors->push_back({error->line, error->column, error->msg == nullptr ? "" : error->msg});
  }
}

}  // namespace

YamlEvents read_yaml_events(std::string_view text, bool strict_json, const YamlLimits& limits) {
  YamlEvents out;
  const auto diagnostics = silent_diagnostics();
  fy_parse_cfg config{};
  config.flags = static_cast<fy_parse_cfg_flags>(
      FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT | FYPCF_DEFAULT_VERSION_1_2 |
      (strict_json ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE));
  config.diag = diagnostics.get();
  const std::unique_ptr<fy_parser, ParserEnd> parser(fy_parser_create(&config));
  if (parser == nullptr || fy_parser_set_string(parser.get(), text.data(), text.size()) != 0) {
    out.errors.push_back({1, 1, "the text cannot be read"});
    return out;
  }
  std::size_t depth = 0;
  while (fy_event* event = fy_parser_parse(parser.get())) {
    const auto type = type_of(event->type);
    if (type) out.events.push_back(convert(event, *type, text));
    fy_parser_event_free(parser.get(), event);
    if (type == Type::MapStart || type == Type::ListStart) ++depth;
    if (type == Type::MapEnd || type == Type::ListEnd) --depth;
    out.too_many = out.events.size() > limits.events_max;
    out.too_deep = depth > limits.depth_max;
    if (out.too_many || out.too_deep) return out;
  }
  collect_errors(diagnostics.get(), &out.errors);
  if (out.errors.empty() && fy_parser_get_stream_error(parser.get())) {
    out.errors.push_back(
        {1, 1, "the text cannot be read as " + std::string(strict_json ? "JSON" : "YAML")});
  }
  return out;
}

}  // namespace showcaller::manifest
