// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/span_retelling.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "cli/private_file.h"
#include "engine/trace_fold.h"
#include "flow/stored_record.h"
#include "model/world.h"

namespace showcaller {
namespace {

constexpr std::string_view kRecordAttribute = "showcaller.record";

std::uint64_t record_of(const Span& span) {
  for (const auto& [key, value] : span.attributes) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (key == kRecordAttribute && number) return std::uint64_t(*number);
  }
  return 0;  // Of a request, or a probe: no record tells of it.
}

std::uint64_t read_mark(const std::filesystem::path& path, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::string line;
  std::uint64_t out = 0;
  std::getline(file, line);
  const auto read = std::from_chars(line.data(), line.data() + line.size(), out);
  const bool good = read.ec == std::errc() && read.ptr == line.data() + line.size() && out > 0;
  return good ? out : otherwise;
}

// The world of the newest snapshot that is no later; an empty one where there is none.
Result<World> world_before(Journal* journal, std::uint64_t seq) {
  TRY(const auto snapshot, journal->newest_snapshot(seq));
  if (!snapshot || snapshot->format != kWorldTextFormat) return World{};
  auto world = world_from_text(snapshot->bytes);
  if (world && world->seq == snapshot->seq) return *std::move(world);
  return World{};
}

}  // namespace

SpanMark::SpanMark(std::filesystem::path file, std::uint64_t last_seq)
    : file_(std::move(file)), first_untold_(read_mark(file_, last_seq + 1)) {}

std::uint64_t SpanMark::first_untold() const {
  std::lock_guard lock(mutex_);
  return first_untold_;
}

Status SpanMark::told(const std::vector<Span>& batch, std::size_t waiting) {
  std::uint64_t last = 0;
  for (const Span& span : batch) last = std::max(last, record_of(span));
  if (last == 0) return {};
  std::lock_guard lock(mutex_);
  first_untold_ = std::max(first_untold_, waiting == 0 ? last + 1 : last);
  return write_private(file_, fmt::format("{}\n", first_untold_));
}

void SpanMark::forget() {
  std::lock_guard lock(mutex_);
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

Result<std::vector<Span>> spans_again(Journal* journal, std::uint64_t first, std::uint64_t last) {
  std::vector<Span> out;
  if (first > last) return out;
  first = std::max(first, last - std::min(last, kRetoldRecordsMax) + 1);
  TRY(World world, world_before(journal, first - 1));
  if (last - world.seq > kFoldedRecordsMax) {
    return fail(ErrorCode::Limit,
                fmt::format("spans of records {} to {} may be lost: there is no snapshot near "
                            "enough to tell them again",
                            first, last));
  }
  const std::uint64_t from = world.seq + 1;
  TraceFold fold(std::move(world));
  Status decoded;
  TRY(journal->read(from, [&](const StoredRecord& stored) {
    if (stored.seq > last) return false;
    const auto record = decode_stored(stored);
    if (!record) decoded = std::unexpected(record.error());
    if (!record) return false;
    std::vector<Span> ended;
    fold.take(*record, &ended);
    if (stored.seq >= first) std::ranges::move(ended, std::back_inserter(out));
    return true;
  }));
  TRY(decoded);
  return out;
}

}  // namespace showcaller
