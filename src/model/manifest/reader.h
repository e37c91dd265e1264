// SPDX-License-Identifier: Apache-2.0
// Where a typed reader stands in a manifest, and what it found wrong so far. Reading goes on after a finding.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/manifest/document.h"
#include "model/manifest/finding.h"

namespace showcaller::manifest {

class Reader {
 public:
  // Both outlive the reader. A position's file is an index into the sources.
  Reader(std::span<const SourceFile> sources, std::vector<Finding>* findings)
      : sources_(sources), findings_(findings) {}

  void error(Position at, std::string message, std::string hint = {});
  void warning(Position at, std::string message, std::string hint = {});
  // For checks of whole documents: the path is given, its place is looked up.
  void error_at(const Node& root, std::string_view path, std::string message, std::string hint = {});
  void warning_at(const Node& root, std::string_view path, std::string message, std::string hint = {});
  // "expected a duration such as 10m, found the integer 12".
  void wrong_type(const Node& node, std::string_view expected, std::string hint = {});

  const std::string& path() const { return path_; }

  // In a template's body "${name}" may stand for any value; such values are read when the template is used.
  bool in_template = false;
  bool is_placeholder(const Node& node) const {
    return in_template && node.is_scalar() && node.text.find("${") != std::string::npos;
  }

  // Goes into a key or an item for as long as it lives.
  class Inside {
   public:
    Inside(Reader* reader, std::string_view key);
    Inside(Reader* reader, std::size_t index);
    ~Inside() { reader_->path_.resize(length_); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Reader* reader_;
    std::size_t length_;
  };

 private:
  void add(Severity severity, Position at, std::string path, std::string message, std::string hint);

  std::span<const SourceFile> sources_;
  std::vector<Finding>* findings_;
  std::string path_;
};

// "did you mean 'bake'?" or, when nothing is near, the first few of what is known.
std::string suggestion(std::string_view word, std::span<const std::string> known);
// "did you mean 'bake'?" or nothing.
std::string nearest_hint(std::string_view word, std::span<const std::string> known);

}  // namespace showcaller::manifest
