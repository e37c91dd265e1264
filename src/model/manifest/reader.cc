// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/suggest.h"

namespace showcaller::manifest {

// A template's mistake is one, however many events use it.
bool Reader::is_told(Position at, const std::string& message) const {
  return at.line > 0 && std::ranges::any_of(*findings_, [&](const Finding& told) {
           return told.line == at.line && told.column == at.column && told.message == message &&
                  told.file == file_of(at);
         });
}

std::string Reader::file_of(Position at) const {
  const auto file = static_cast<std::size_t>(at.file);
  return at.line > 0 && file < sources_.size() ? sources_[file].name : "";
}

std::string Reader::joined(std::string_view below) const {
  const bool close = path_.empty() || below.empty() || below.front() == '[';
  return fmt::format("{}{}{}", path_, close ? "" : ".", below);
}

void Reader::add(Severity severity, Position at, std::string path, std::string message,
                 std::string hint) {
  if (severity == Severity::Error) ++errors_;
  if (is_full() || is_told(at, message)) return;
  findings_->push_back({severity, file_of(at), at.line, at.column, std::move(path),
                        std::move(message), std::move(hint)});
}

void Reader::add_consequence(Severity severity, Position at, std::string path, std::string message,
                             std::string hint) {
  if (trusted && severity == Severity::Error) return;
  if (!is_wrong(path)) add(severity, at, std::move(path), std::move(message), std::move(hint));
}

bool Reader::is_wrong(std::string_view path) const {
  const auto is_in = [](std::string_view inner, std::string_view outer) {
    return inner.starts_with(outer) && (inner.size() == outer.size() ||
                                        inner[outer.size()] == '.' || inner[outer.size()] == '[');
  };
  return wrong_ != nullptr && std::ranges::any_of(*wrong_, [&](const std::string& wrong) {
           return is_in(wrong, path) || is_in(path, wrong);
         });
}

void Reader::error(Position at, std::string message, std::string hint) {
  if (wrong_ != nullptr && !is_full()) wrong_->push_back(path_);
  add(Severity::Error, at, path_, std::move(message), std::move(hint));
}

void Reader::warning(Position at, std::string message, std::string hint) {
  add(Severity::Warning, at, path_, std::move(message), std::move(hint));
}

void Reader::error_below(const Node& node, std::string_view below, std::string message,
                         std::string hint) {
  add_consequence(Severity::Error, nearest_position(node, below), joined(below), std::move(message),
                  std::move(hint));
}

void Reader::error_at(const Node& root, std::string_view path, std::string message,
                      std::string hint) {
  add_consequence(Severity::Error, nearest_position(root, path), std::string(path),
                  std::move(message), std::move(hint));
}

void Reader::warning_at(const Node& root, std::string_view path, std::string message,
                        std::string hint) {
  add_consequence(Severity::Warning, nearest_position(root, path), std::string(path),
                  std::move(message), std::move(hint));
}

void Reader::wrong_type(const Node& node, std::string_view expected, std::string hint) {
  error(node.position, fmt::format("expected {}, found {}", expected, describe(node)),
        std::move(hint));
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
  constexpr std::size_t kGuessedMin = 3;  // Shorter words are near to anything.
  const auto near = word.size() < kGuessedMin ? std::nullopt : nearest_word(word, known);
  if (near) return fmt::format("did you mean '{}'?", *near);
  if (known.empty()) return {};
  const auto first = known.first(std::min(known.size(), kListedMax));
  return fmt::format("known: {}{}", fmt::join(first, ", "), known.size() > kListedMax ? ", …" : "");
}

}  // namespace showcaller::manifest
