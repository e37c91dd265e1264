// SPDX-License-Identifier: Apache-2.0
// Where a typed reader stands in a manifest, and what it found wrong so far. Reading goes on after
// a finding.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/manifest/document.h"
#include "model/manifest/finding.h"

namespace showcaller::manifest {

constexpr std::size_t kFindingsMax = 500;  // a run; more help nobody

class Reader {
 public:
  // Both outlive the reader. A position's file is an index into the sources.
  Reader(std::span<const SourceFile> sources, std::vector<Finding>* findings)
      : sources_(sources), findings_(findings) {}

  // What is wrong with one value, at the reader's own path.
  void error(Position at, std::string message, std::string hint = {});
  void warning(Position at, std::string message, std::string hint = {});
  // What is wrong between values. Told only when nothing is wrong with the value, or with what is
  // in it or around it: one mistake, one finding. The place is looked up: `below` is a path below
  // `node`, which is the reader's own; the path of the other two is from the root.
  void error_below(const Node& node, std::string_view below, std::string message,
                   std::string hint = {});
  void error_at(const Node& root, std::string_view path, std::string message,
                std::string hint = {});
  void warning_at(const Node& root, std::string_view path, std::string message,
                  std::string hint = {});
  // "expected a duration such as 10m, found the integer 12".
  void wrong_type(const Node& node, std::string_view expected, std::string hint = {});

  const std::string& path() const { return path_; }

  // From here on errors belong to one manifest, whose paths are kept in `wrong`; null: to none.
  void begin_manifest(std::vector<std::string>* wrong) { wrong_ = wrong; }
  // What could not be found out about the value at the reader's path: nothing follows from it.
  void leave_open() {
    if (wrong_ != nullptr) wrong_->push_back(path_);
  }
  // Whether a value at, in or around the path is wrong already.
  bool is_wrong(std::string_view path) const;
  // The same of a path below the reader's own.
  bool is_wrong_below(std::string_view below) const { return is_wrong(joined(below)); }

  // In a template's body "${name}" may stand for any value; such values are read when the template
  // is used.
  bool in_template = false;
  bool is_placeholder(const Node& node) const {
    return in_template && node.is_scalar() && node.text.find("${") != std::string::npos;
  }

  // The text was accepted before, maybe by another version: keys that are not known are passed
  // over, bounds and what holds between values are believed, and so is what is costly to check or
  // depends on the machine (zones). Only what cannot be understood is wrong.
  bool trusted = false;

  // Of all errors so far, told or not.
  std::size_t errors() const { return errors_; }
  // Enough is wrong: what costs something to say (a suggestion) need not be found out.
  bool is_full() const { return findings_->size() >= kFindingsMax; }

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
  bool is_told(Position at, const std::string& message) const;
  std::string file_of(Position at) const;
  std::string joined(std::string_view below) const;
  void add(Severity severity, Position at, std::string path, std::string message, std::string hint);
  void add_consequence(Severity severity, Position at, std::string path, std::string message,
                       std::string hint);

  std::span<const SourceFile> sources_;
  std::vector<Finding>* findings_;
  std::string path_;
  std::size_t errors_ = 0;
  std::vector<std::string>* wrong_ = nullptr;
};

// "did you mean 'bake'?" or, when nothing is near, the first few of what is known.
std::string suggestion(std::string_view word, std::span<const std::string> known);
// "did you mean 'bake'?" or nothing.
std::string nearest_hint(std::string_view word, std::span<const std::string> known);

}  // namespace showcaller::manifest
