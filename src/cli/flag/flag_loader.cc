// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flag_loader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "adapters/polled_url/polled_url.h"
#include "adapters/watched_file/watched_file.h"
#include "cli/flag/flag_document.h"
#include "wire/flagd/sync_client.h"

namespace showcaller {
namespace {

std::string_view outcome_of_reading(const Status& read) {
  if (read) return "ok";
  return read.error().code == ErrorCode::Unavailable ? "unavailable" : "refused";
}

}  // namespace

std::unique_ptr<DocumentSource> open_document_source(const FlagSourceConfig& config) {
  if (config.kind == FlagSourceKind::File) return std::make_unique<WatchedFile>(config.name);
  if (config.kind == FlagSourceKind::Grpc) return std::make_unique<SyncClient>(config);
  return std::make_unique<PolledUrl>(PolledUrlOptions{.url = config.name,
                                                      .headers = config.headers,
                                                      .interval = config.interval,
                                                      .timeout = config.timeout});
}

Status FlagLoader::start(const std::vector<FlagSourceConfig>& configs, Duration patience) {
  first_.resize(configs.size());
  for (std::size_t i = 0; i < configs.size(); ++i) {
    sources_.push_back(open_document_source(configs[i]));
    sources_.back()->start([this, i, config = configs[i]](Result<std::string> text) {
      take(i, config, std::move(text));
    });
  }
  std::unique_lock lock(mutex_);
  const bool all = arrived_.wait_for(lock, patience, [this] {
    return std::ranges::all_of(first_, [](const auto& each) { return each.has_value(); });
  });
  for (const auto& first : first_) {
    if (first && !*first) return *first;
  }
  if (all) return {};
  return fail(ErrorCode::Unavailable, fmt::format("a source gave nothing within {}; is it there?",
                                                  format_duration(patience)));
}

void FlagLoader::take(std::size_t source, const FlagSourceConfig& config,
                      Result<std::string> text) {
  const Status outcome = read(source, config, std::move(text));
  bool had_good = true;
  {
    const std::lock_guard lock(mutex_);
    if (!first_[source]) {
      first_[source] = outcome;
      had_good = false;
    }
  }
  arrived_.notify_all();
  if (!outcome && had_good) {
    log_->write(LogLevel::Error, feed_->now(),
                outcome.error().message + "; the flags stay as they were", {},
                {{"source", config.name}});
  }
  told_(config.name, outcome_of_reading(outcome));
}

Status FlagLoader::read(std::size_t source, const FlagSourceConfig& config,
                        Result<std::string> text) {
  if (!text) return std::unexpected(text.error());
  const SourceFile file{config.name, *std::move(text)};
  TRY(json::value document, read_flag_document(file));
  const auto broken = feed_->take(source, std::move(document));
  if (!broken) return fail(broken.error().code, place_in(file, broken.error().message));
  for (const FlagFinding& finding : *broken) {
    log_->write(
        LogLevel::Warning, feed_->now(),
        place_in(file, finding.pointer + ": " + finding.message) + "; the flag answers PARSE_ERROR",
        {}, {{"source", config.name}});
  }
  log_->write(LogLevel::Info, feed_->now(), "flags were read", {}, {{"source", config.name}});
  return {};
}

}  // namespace showcaller
