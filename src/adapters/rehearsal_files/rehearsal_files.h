// SPDX-License-Identifier: Apache-2.0
// A shelf of rehearsals as files of one folder: ID.json holds {"at","by","report"}. An id is the
// time in milliseconds, 16 digits, and "-", and a number that tells those of one millisecond apart.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "flow/port/rehearsal_shelf.h"

namespace showcaller {

class RehearsalFiles final : public RehearsalShelf {
 public:
  static Result<std::unique_ptr<RehearsalFiles>> open(const std::string& folder);

  Result<std::string> put(Instant at, const std::string& by, const json::object& report) override;
  Result<std::vector<RehearsalOnShelf>> all(Instant now) override;
  Result<RehearsalOnShelf> one(const std::string& id) override;

 private:
  explicit RehearsalFiles(std::string folder) : folder_(std::move(folder)) {}
  std::vector<std::string> ids() const;  // sorted
  std::string path_of(const std::string& id) const;
  void make_room(Instant now);
  Result<RehearsalOnShelf> read(const std::string& id) const;

  const std::string folder_;
  std::mutex mutex_;
};

}  // namespace showcaller
