// SPDX-License-Identifier: Apache-2.0
// A URL as a document: asked for at once and then at an interval, with If-None-Match where the
// server gave an ETag.
//
// Threads: one. Limits: kBytesMax. Redirects are not followed.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/time.h"
#include "flow/port/document_source.h"

namespace showcaller {

struct PolledUrlOptions {
  std::string url;  // http:// or https://
  std::map<std::string, std::string> headers;
  Duration interval = seconds(5);
  Duration timeout = seconds(10);
};

class PolledUrl final : public DocumentSource {
 public:
  static constexpr std::size_t kBytesMax = 16 << 20;

  explicit PolledUrl(PolledUrlOptions options);
  ~PolledUrl() override;
  void start(DocumentSink sink) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
