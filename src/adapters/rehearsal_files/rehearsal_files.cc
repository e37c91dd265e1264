// SPDX-License-Identifier: Apache-2.0
#include "adapters/rehearsal_files/rehearsal_files.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".json";

bool is_an_id(std::string_view id) {
  return !id.empty() && id.find_first_not_of("0123456789-") == id.npos;
}

Instant time_of(const std::string& id) {
  std::int64_t ms = 0;
  std::from_chars(id.data(), id.data() + std::min<std::size_t>(16, id.size()), ms);
  return instant_ms(ms);
}

// Whole or not at all: under another name until it is written.
Status write_whole(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  std::ofstream file(beside, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) fs::rename(beside, path, error);
  if (file && !error) return {};
  std::error_code ignored;
  fs::remove(beside, ignored);
  return fail(ErrorCode::Unavailable,
              fmt::format("{} cannot be written; look at the disk and its rights", path));
}

}  // namespace

Result<std::unique_ptr<RehearsalFiles>> RehearsalFiles::open(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return fail(ErrorCode::Unavailable,
                fmt::format("{} cannot be made: {}; look at its rights", folder, error.message()));
  }
  return std::unique_ptr<RehearsalFiles>(new RehearsalFiles(folder));
}

std::string RehearsalFiles::path_of(const std::string& id) const {
  return fmt::format("{}/{}{}", folder_, id, kSuffix);
}

std::vector<std::string> RehearsalFiles::ids() const {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const std::string id = at->path().stem().string();
    if (at->path().extension() == kSuffix && is_an_id(id)) out.push_back(id);
  }
  std::ranges::sort(out);
  return out;
}

void RehearsalFiles::make_room(Instant now) {
  std::vector<std::string> there = ids();
  const std::size_t too_many =
      there.size() < kRehearsalsMax ? 0 : there.size() - kRehearsalsMax + 1;
  for (std::size_t i = 0; i < there.size(); ++i) {
    const bool too_old = now - time_of(there[i]) > kRehearsalsKept;
    std::error_code ignored;
    if (i < too_many || too_old) fs::remove(path_of(there[i]), ignored);
  }
}

Result<std::string> RehearsalFiles::put(Instant at, const std::string& by,
                                        const json::object& report) {
  const std::string text =
      to_json_text(json::object{{"at", format_instant(at)}, {"by", by}, {"report", report}});
  if (text.size() > kRehearsalBytesMax) {
    return fail(ErrorCode::Limit, fmt::format("the report has {} bytes, and {} are kept at most; "
                                              "rehearse fewer events at once",
                                              text.size(), kRehearsalBytesMax));
  }
  std::lock_guard lock(mutex_);
  make_room(at);
  std::string id;
  for (int number = 0; id.empty() || fs::exists(path_of(id)); ++number)
    id = fmt::format("{:016}-{}", to_ms(at), number);
  TRY(write_whole(path_of(id), text));
  return id;
}

Result<RehearsalOnShelf> RehearsalFiles::read(const std::string& id) const {
  std::ifstream file(path_of(id), std::ios::binary);
  if (!file) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no rehearsal '{}', or it was kept long enough; list those "
                            "that are there",
                            id));
  }
  std::stringstream text;
  text << file.rdbuf();
  TRY(const json::value stored, parse_json(text.str(), kOwnJson));
  if (!stored.is_object()) return fail(ErrorCode::Corrupt, path_of(id) + " is no report");
  const json::object& object = stored.get_object();
  RehearsalOnShelf out{.id = id, .at = time_of(id), .by = get_string(object, "by")};
  if (const json::value* report = get_if(object, "report"); report && report->is_object())
    out.report = report->get_object();
  return out;
}

Result<std::vector<RehearsalOnShelf>> RehearsalFiles::all(Instant now) {
  std::lock_guard lock(mutex_);
  std::vector<RehearsalOnShelf> out;
  std::vector<std::string> there = ids();
  for (auto id = there.rbegin(); id != there.rend(); ++id) {
    if (now - time_of(*id) > kRehearsalsKept) continue;
    if (auto found = read(*id)) out.push_back(*std::move(found));  // One that is broken is none.
  }
  return out;
}

Result<RehearsalOnShelf> RehearsalFiles::one(const std::string& id) {
  std::lock_guard lock(mutex_);
  if (!is_an_id(id))
    return fail(ErrorCode::NotFound,
                fmt::format("there is no rehearsal '{}'; list those that are there", id));
  return read(id);
}

}  // namespace showcaller
