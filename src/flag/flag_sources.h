// SPDX-License-Identifier: Apache-2.0
// Flag documents of several sources as one. A flag is known by its key and its `flagSetId` (its own
// metadata's, else its document's). Of flags with one key the later source's counts, within a
// source the later flag; a selector first keeps only what it names.
//
// A document's metadata goes to each of its flags, and its evaluators are told apart by the
// source's place, so that what is selected is one document again. `flags` may be an object by key,
// or an array of flags that say their `key`.
//
// Threads: a value; sources are shared and immutable once taken. Source:
// flagd.dev/concepts/selectors, flagd.dev/concepts/metadata.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "flag/flag_selector.h"
#include "flag/flag_set.h"

namespace showcaller {

class FlagSources {
 public:
  // In order of priority, the lowest first. None has flags yet.
  explicit FlagSources(std::vector<std::string> names);

  // Replaces what the source says. Refuses what FlagSet::compile refuses, and then nothing has
  // changed. Answers with the flags that are broken (FlagSet::broken).
  Result<std::vector<FlagFinding>> take(std::size_t source, json::value document,
                                        const FlagLimits& limits = {});

  // One document; its metadata says what was selected.
  json::object select(const FlagSelector& selector) const;

  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Flag {
    std::string key;
    std::string flag_set;  // empty: in none
    json::object definition;
  };
  struct Source {
    std::vector<Flag> flags;
    json::object evaluators;
  };
  static Result<Source> read(json::object document);

  std::vector<std::string> names_;
  std::vector<std::shared_ptr<const Source>> sources_;
};

}  // namespace showcaller
