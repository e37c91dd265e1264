// SPDX-License-Identifier: Apache-2.0
// A file as a document: read at once and again after each change, whether it was written in place,
// renamed over, or a symbolic link to it or to a folder on its way was swapped (as Kubernetes does
// with config maps).
//
// The kernel's notices (inotify) of the folders of the path as given and as resolved tell at once;
// a look every kLookEvery finds what they do not tell. A file that is being written is read when it
// rests. Threads: one. Limits: kBytesMax.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "flow/port/document_source.h"

namespace showcaller {

class WatchedFile final : public DocumentSource {
 public:
  static constexpr std::size_t kBytesMax = 16 << 20;
  static constexpr std::chrono::milliseconds kLookEvery{400};

  explicit WatchedFile(std::string path);
  ~WatchedFile() override;
  void start(DocumentSink sink) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
