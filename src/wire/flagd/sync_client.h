// SPDX-License-Identifier: Apache-2.0
// The flags of another flagd (or of a server that speaks its sync service) as a document: the
// stream of flagd.sync.v1, opened again whenever it ends.
//
// Threads: one, and gRPC's. What the other adds to contexts (sync_context) is its own affair.
#pragma once

#include <memory>

#include "codec/flagd_sources.h"
#include "flow/port/document_source.h"

namespace showcaller {

class SyncClient final : public DocumentSource {
 public:
  // The name is HOST:PORT.
  explicit SyncClient(FlagSourceConfig config);
  ~SyncClient() override;
  void start(DocumentSink sink) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
