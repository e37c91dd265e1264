// SPDX-License-Identifier: Apache-2.0
#include "codec/json_web_token.h"

#include <fmt/format.h>

#include "base/base64url.h"

namespace showcaller {
namespace {

constexpr JsonLimits kTokenLimits{.bytes_max = 64 << 10, .depth_max = 16};
constexpr JsonLimits kKeyLimits{.bytes_max = 256 << 10, .depth_max = 16};
constexpr std::size_t kKeysMax = 100;
constexpr std::size_t kP256Bytes = 32;
constexpr std::size_t kRsaBytesMin = 2048 / 8, kRsaBytesMax = 8192 / 8;

std::unexpected<Error> no_token(std::string_view why) {
  return fail(ErrorCode::Invalid, fmt::format("the token is none: {}", why));
}

Result<TokenAlgorithm> algorithm_from(std::string_view name) {
  for (const TokenAlgorithm known : {TokenAlgorithm::Rs256, TokenAlgorithm::Es256})
    if (to_string(known) == name) return known;
  return fail(ErrorCode::Invalid,
              fmt::format("the token's signature is of the kind '{}', which proves nothing here; "
                          "have the issuer sign with RS256 or ES256",
                          name.substr(0, 32)));
}

Result<json::object> object_in(std::string_view text, const JsonLimits& limits) {
  TRY(json::value value, parse_json(text, limits));
  if (!value.is_object()) return fail(ErrorCode::Invalid, "it is no JSON object");
  return std::move(value.get_object());
}

// A number as JWKs write it, without the zeros before it.
std::string number_in(const json::object& key, std::string_view name) {
  auto bytes = from_base64url(get_string(key, name));
  if (!bytes) return {};
  bytes->erase(0, std::min(bytes->find_first_not_of('\0'), bytes->size()));
  return *std::move(bytes);
}

bool signs(const json::object& key, TokenAlgorithm algorithm) {
  const std::string use = get_string(key, "use", "sig");
  const std::string named = get_string(key, "alg", to_string(algorithm));
  return use == "sig" && named == to_string(algorithm);
}

// Whether it is such a key; `out` is it then.
bool read_key(const json::object& key, JsonWebKey* out) {
  const std::string kind = get_string(key, "kty");
  out->id = get_string(key, "kid");
  if (kind == "RSA") {
    out->algorithm = TokenAlgorithm::Rs256;
    out->first = number_in(key, "n");
    out->second = number_in(key, "e");
    const std::size_t size = out->first.size();
    return signs(key, out->algorithm) && size >= kRsaBytesMin && size <= kRsaBytesMax &&
           !out->second.empty() && out->second.size() <= 8;
  }
  if (kind != "EC" || get_string(key, "crv") != "P-256") return false;
  out->algorithm = TokenAlgorithm::Es256;
  out->first = from_base64url(get_string(key, "x")).value_or("");
  out->second = from_base64url(get_string(key, "y")).value_or("");
  return signs(key, out->algorithm) && out->first.size() == kP256Bytes &&
         out->second.size() == kP256Bytes;
}

}  // namespace

std::string_view to_string(TokenAlgorithm algorithm) {
  return algorithm == TokenAlgorithm::Rs256 ? "RS256" : "ES256";
}

Result<std::vector<JsonWebKey>> parse_json_web_keys(std::string_view text) {
  TRY(const json::object set, object_in(text, kKeyLimits));
  const json::value* keys = get_if(set, "keys");
  if (!keys || !keys->is_array())
    return fail(ErrorCode::Invalid, "it is no set of keys: it has no list `keys`");
  if (keys->get_array().size() > kKeysMax) {
    return fail(ErrorCode::Limit, fmt::format("the set has {} keys, of which {} are taken",
                                              keys->get_array().size(), kKeysMax));
  }
  std::vector<JsonWebKey> out;
  for (const json::value& value : keys->get_array()) {
    JsonWebKey key;
    if (value.is_object() && read_key(value.get_object(), &key)) out.push_back(std::move(key));
  }
  return out;
}

Result<SignedToken> parse_signed_token(std::string_view text) {
  if (text.size() > kTokenLimits.bytes_max) return no_token("it has more than 64 KiB");
  const std::size_t first = text.find('.');
  const std::size_t second = first == text.npos ? first : text.find('.', first + 1);
  if (second == text.npos || text.find('.', second + 1) != text.npos)
    return no_token("it does not have three parts");
  const auto header_text = from_base64url(text.substr(0, first));
  const auto claims_text = from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));
  if (!header_text || !claims_text || !signature) return no_token("a part is not base64url");
  const auto header = object_in(*header_text, kTokenLimits);
  auto claims = object_in(*claims_text, kTokenLimits);
  if (!header || !claims) return no_token("header or claims are no JSON object");
  if (get_if(*header, "crit"))
    return no_token("its header has critical fields (`crit`), which nobody here knows");
  SignedToken out;
  TRY(out.algorithm, algorithm_from(get_string(*header, "alg")));
  out.key_id = get_string(*header, "kid");
  out.signed_part = text.substr(0, second);
  out.signature = *std::move(signature);
  out.claims = *std::move(claims);
  return out;
}

}  // namespace showcaller
