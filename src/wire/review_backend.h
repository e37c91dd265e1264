// SPDX-License-Identifier: Apache-2.0
// What people look back on and judge by: decisions, incidents, rehearsals, the state of policies.
// JSON shapes are those of docs/api.md.
//
// Threads: any, all from workers: they read the journal or files.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "model/command.h"

namespace showcaller {

struct DecisionSearch {
  std::string text, actor, subject;
  std::set<std::string> kinds;  // empty: all but the quiet ones
  std::optional<Instant> since, until;
  std::uint64_t before_seq = 0;  // where to go on; 0: at the end of the journal
  std::size_t limit = 100;
};

class ReviewBackend {
 public:
  virtual ~ReviewBackend() = default;

  // Newest first; a bounded part of the journal at a time.
  virtual Result<json::value> decisions(const DecisionSearch& search) const = 0;
  virtual Result<json::value> decision(std::uint64_t seq) const = 0;
  virtual Result<json::value> incidents() const = 0;
  virtual Result<json::value> incident(std::uint64_t id) const = 0;
  virtual json::value policy() const = 0;

  virtual Result<json::value> publish_rehearsal(const json::object& report, const Actor& actor) = 0;
  virtual Result<json::value> rehearsals() const = 0;  // in short
  virtual Result<json::value> rehearsal(const std::string& id) const = 0;
};

}  // namespace showcaller
