// SPDX-License-Identifier: Apache-2.0
#include "adapters/evidence_files/evidence_frame.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::size_t kHeader = 4 + 4 + 32;

void put_u32(char* out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out[i] = char(value >> (8 * i));
}

std::uint32_t get_u32(const char* in) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= std::uint32_t(std::uint8_t(in[i])) << (8 * i);
  return value;
}

// Over the size, the hash and the bytes; the sum's own place counts as the size again.
std::uint32_t sum_of(std::string frame) {
  std::memcpy(frame.data() + 4, frame.data(), 4);
  return std::uint32_t(hash64(frame));
}

}  // namespace

std::string make_frame(const Sha256& previous, std::string_view tick, Sha256* hash) {
  *hash = sha256(as_bytes(previous), tick);
  std::string frame(kHeader, '\0');
  put_u32(frame.data(), std::uint32_t(tick.size()));
  frame.replace(8, hash->size(), as_bytes(*hash));
  frame += tick;
  put_u32(frame.data() + 4, sum_of(frame));
  return frame;
}

Result<bool> FrameReader::fill(std::uint64_t offset, std::size_t size) {
  buffer_.resize(size);
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::pread(descriptor_, buffer_.data() + got, size - got, off_t(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorCode::Unavailable, fmt::format("reading evidence: {}", std::strerror(errno)));
    if (n == 0) return false;
    got += std::size_t(n);
  }
  return true;
}

Result<std::optional<std::string_view>> FrameReader::next() {
  const std::uint64_t at = name_bytes_ + mark_.offset;
  TRY(const bool has_header, fill(at, kHeader));
  if (!has_header) return std::nullopt;
  const std::uint32_t size = get_u32(buffer_.data());
  if (size > kTickBytesMax) return std::nullopt;
  TRY(const bool whole, fill(at, kHeader + size));
  if (!whole || get_u32(buffer_.data() + 4) != sum_of(buffer_)) return std::nullopt;
  const std::string_view tick = std::string_view(buffer_).substr(kHeader);
  const Sha256 hash = sha256(as_bytes(mark_.hash), tick);
  if (std::string_view(buffer_).substr(8, hash.size()) != as_bytes(hash)) return std::nullopt;
  mark_ = {.offset = mark_.offset + kHeader + size, .ticks = mark_.ticks + 1, .hash = hash};
  return tick;
}

}  // namespace showcaller
