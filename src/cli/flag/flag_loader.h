// SPDX-License-Identifier: Apache-2.0
// Keeps a feed of flags up to date with its sources: reads what they give, keeps the last good
// document of each, and says what came of every one.
//
// Threads: start() once; the sources call back on their own.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "codec/flagd_sources.h"
#include "flow/port/document_source.h"
#include "wire/flagd/sources_feed.h"
#include "wire/log.h"

namespace showcaller {

std::unique_ptr<DocumentSource> open_document_source(const FlagSourceConfig& config);

class FlagLoader {
 public:
  // What became of a document: ok, refused or unavailable.
  using Told = std::function<void(const std::string& source, std::string_view outcome)>;

  // Feed and log outlive it. `told` is called after each document.
  FlagLoader(SourcesFeed* feed, Log* log, Told told)
      : feed_(feed), log_(log), told_(std::move(told)) {}

  // Returns when every source has given something. Fails when one gave no good document, or nothing
  // within `patience`: what was never good can't be kept.
  Status start(const std::vector<FlagSourceConfig>& configs, Duration patience);

 private:
  void take(std::size_t source, const FlagSourceConfig& config, Result<std::string> text);
  Status read(std::size_t source, const FlagSourceConfig& config, Result<std::string> text);

  SourcesFeed* const feed_;
  Log* const log_;
  const Told told_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::optional<Status>> first_;              // what each source gave first
  std::vector<std::unique_ptr<DocumentSource>> sources_;  // Last: they end before the rest goes.
};

}  // namespace showcaller
