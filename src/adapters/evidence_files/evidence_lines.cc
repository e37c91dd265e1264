// SPDX-License-Identifier: Apache-2.0
#include "adapters/evidence_files/evidence_lines.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "base/hash.h"
#include "flow/port/evidence_rules.h"

namespace showcaller {
namespace {

constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kLineMax = 64u << 20;

}  // namespace

std::string make_evidence_line(std::string_view line, const EvidenceMark& after) {
  std::string stored = to_hex(after.hash);
  stored.reserve(kHashDigits + line.size() + 2);
  stored += ' ';
  stored += line;
  stored += '\n';
  return stored;
}

Result<std::optional<std::string_view>> EvidenceLines::next_raw() {
  std::size_t searched = taken_;
  while (true) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) return std::string_view(buffer_).substr(taken_, end - taken_);
    if (buffer_.size() - taken_ > kLineMax) return std::nullopt;
    buffer_.erase(0, taken_);
    taken_ = 0;
    searched = buffer_.size();
    buffer_.resize(searched + kReadBytes);
    ssize_t got = 0;
    do {
      got =
          ::pread(descriptor_, buffer_.data() + searched, kReadBytes, off_t(consumed_ + searched));
    } while (got < 0 && errno == EINTR);
    buffer_.resize(searched + std::size_t(got > 0 ? got : 0));
    if (got < 0)
      return fail(ErrorCode::Unavailable,
                  fmt::format("reading evidence: {}", std::strerror(errno)));
    if (got == 0) return std::nullopt;
  }
}

Result<std::optional<std::string_view>> EvidenceLines::next() {
  TRY(const auto raw, next_raw());
  if (!raw || raw->size() <= kHashDigits || (*raw)[kHashDigits] != ' ') return std::nullopt;
  const std::string_view line = raw->substr(kHashDigits + 1);
  const EvidenceMark after = mark_after(mark_, line);
  if (raw->substr(0, kHashDigits) != to_hex(after.hash)) return std::nullopt;
  mark_ = after;
  consumed_ += raw->size() + 1;
  taken_ += raw->size() + 1;
  ++lines_;
  return line;
}

}  // namespace showcaller
