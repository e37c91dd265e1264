// SPDX-License-Identifier: Apache-2.0
// Hashes: SHA-256 for chains, approvals and tokens; HMAC-SHA-256 for pseudonyms and salts; XXH64
// for tables; murmur3-32 for shares of players, as flagd computes them. Also hex.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace showcaller {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
// sha256(first ‖ second) without joining them.
Sha256 sha256(std::string_view first, std::string_view second);
Sha256 hmac_sha256(std::string_view key, std::string_view message);
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);
// MurmurHash3_x86_32 over the bytes.
std::uint32_t murmur3_32(std::string_view bytes, std::uint32_t seed = 0);

std::string to_hex(std::string_view bytes);
std::string to_hex(const Sha256& digest);
Result<std::string> from_hex(std::string_view hex);
inline std::string_view as_bytes(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}
// Takes the same time wherever the difference is. Lengths are not secret.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace showcaller
