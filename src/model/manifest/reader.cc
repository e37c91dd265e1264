// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/suggest.h"

namespace showcaller::manifest {

void Reader::add(Severity severity, Position at, std::string path, std::string message,
                 std::string hint) {
  const auto file = static_cast<std::size_t>(at.file);
  findings_->push_back({severity, at.line > 0 && file < sources_.size() ? sources_[file].name : "",
                        at.line, at.column, std::move(path), std::move(message), std::move(hint)});
}

void Reader::error(Position at, std::string message, std::string hint) {
  add(Severity::Error, at, path_, std::move(message), std::move(hint));
}

void Reader::warning(Position at, std::string message, std::string hint) {
  add(Severity::Warning, at, path_, std::move(message), std::move(hint));
}

void Reader::error_at(const Node& root, std::string_view path, std::string message, std::string hint) {
  add(Severity::Error, nearest_position(root, path), std::string(path), std::move(message), std::move(hint));
}

void Reader::warning_at(const Node& root, std::string_view path, std::string message, std::string hint) {
  add(Severity::Warning, nearest_position(root, path), std::string(path), std::move(message), std::move(hint));
}

void Reader::wrong_type(const Node& node, std::string_view expected, std::string hint) {
  error(node.position, fmt::format("expected {}, found {}", expected, describe(node)), std::move(hint));
}

Reader::Inside::Inside(Reader* reader, std::string_view key)
    : reader_(reader), length_(reader->path_.size()) {
  if (length_ > 0) reader->path_ += '.';
  reader->path_ += key.substr(0, 64);
}

Reader::Inside::Inside(Reader* reader, std::size_t index)
    : reader_(reader), length_(reader->path_.size()) {
  fmt::format_to(std::back_inserter(reader->path_), "[{}]", index);
}

std::string nearest_hint(std::string_view word, std::span<const std::string> known) {
  const auto near = nearest_word(word, known);
  return near ? fmt::format("did you mean '{}'?", *near) : std::string();
}

std::string suggestion(std::string_view word, std::span<const std::string> known) {
  constexpr std::size_t kListedMax = 16;
  if (const auto near = nearest_word(word, known)) return fmt::format("did you mean '{}'?", *near);
  if (known.empty()) return {};
  const auto first = known.first(std::min(known.size(), kListedMax));
  return fmt::format("known: {}{}", fmt::join(first, ", "), known.size() > kListedMax ? ", …" : "");
}

}  // namespace showcaller::manifest
