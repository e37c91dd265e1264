// SPDX-License-Identifier: Apache-2.0
// Streams flags to SDKs and relays: all of them first, then what changes.
//
//   id: REVISION       id: REVISION
//   event: snapshot    event: delta
//   data: DOCUMENT     data: DELTA       (codec/flag_delta.h)
//
// Who may see rules gets the document in force, and all such readers share one text. Who may not
// gets a document that is decided for his context, and of a change what changes for him. A reader
// who comes back with the revision that he has is told what changed since, if that is known, else
// all. One who reads too slowly has one event under way, and then gets one that tells what he
// missed; where that is too much, all: he costs one event's memory, which others share.
// A stream ends when its token is no longer good.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/json.h"
#include "wire/edge_backend.h"
#include "wire/flagd/flag_streams.h"

namespace showcaller {

class ResponseStream;

struct FlagReader {
  std::string token;
  std::string last_seen;  // the revision that he has; empty: none
};

class FlagUpdates {
 public:
  // Both outlive all its streams.
  FlagUpdates(EdgeBackend* backend, FlagStreams* streams);
  ~FlagUpdates();

  void tell_rules(std::shared_ptr<ResponseStream> stream, FlagReader reader);
  void tell_values(std::shared_ptr<ResponseStream> stream, FlagReader reader, json::object context);

  std::uint64_t snapshots_told() const;
  std::uint64_t deltas_told() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace showcaller
