// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <bit>
#include <cstring>

#define OPENSSL_SUPPRESS_DEPRECATED  // See sha256().
#include <openssl/sha.h>
#include <sodium.h>
#include <xxhash.h>

#include "base/check.h"

namespace showcaller {
namespace {

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

// OpenSSL's, because it uses the processor's instructions for it. Its own front door, EVP, takes
// longer than the hash of a record does.
Sha256 sha256(std::string_view bytes) {
  return sha256(bytes, {});
}

Sha256 sha256(std::string_view first, std::string_view second) {
  SHA256_CTX context;
  Sha256 out;
  static_assert(sizeof out == SHA256_DIGEST_LENGTH);
  CHECK(SHA256_Init(&context) == 1 && SHA256_Update(&context, first.data(), first.size()) == 1 &&
        SHA256_Update(&context, second.data(), second.size()) == 1 &&
        SHA256_Final(out.data(), &context) == 1);
  return out;
}

Sha256 hmac_sha256(std::string_view key, std::string_view message) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, data_of(key), key.size());
  crypto_auth_hmacsha256_update(&state, data_of(message), message.size());
  Sha256 out;
  crypto_auth_hmacsha256_final(&state, out.data());
  return out;
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH64(bytes.data(), bytes.size(), seed);
}

std::uint32_t murmur3_32(std::string_view bytes, std::uint32_t seed) {
  constexpr std::uint32_t kC1 = 0xcc9e2d51;
  constexpr std::uint32_t kC2 = 0x1b873593;
  std::uint32_t h = seed;
  const std::size_t blocks = bytes.size() / 4;
  for (std::size_t i = 0; i < blocks; ++i) {
    std::uint32_t k;
    std::memcpy(&k, bytes.data() + 4 * i, 4);
    h ^= std::rotl(k * kC1, 15) * kC2;
    h = std::rotl(h, 13) * 5 + 0xe6546b64;
  }
  std::uint32_t k = 0;
  for (std::size_t i = bytes.size() & 3; i > 0; --i) {
    k = (k << 8) | std::uint8_t(bytes[blocks * 4 + i - 1]);
  }
  h ^= std::rotl(k * kC1, 15) * kC2;
  h ^= std::uint32_t(bytes.size());
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[std::uint8_t(c) >> 4];
    out += kDigits[std::uint8_t(c) & 15];
  }
  return out;
}

std::string to_hex(const Sha256& digest) {
  return to_hex(as_bytes(digest));
}

Result<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return fail(ErrorCode::Invalid, "hex text has an odd length");
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return fail(ErrorCode::Invalid, "hex text has another character");
    out += char(high * 16 + low);
  }
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace showcaller
