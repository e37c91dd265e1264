// SPDX-License-Identifier: Apache-2.0
// Signed JSON Web Tokens and the keys that they are signed with, as bytes: what is said, not yet
// whether it is true (adapters/oidc/token_signature.h).
//
//   token = base64url(header) "." base64url(claims) "." base64url(signature)
//
// Only RS256 and ES256 are read. `none`, and every algorithm whose key the reader would have to
// keep secret, are refused here, before anybody can mistake a public key for such a secret.
//
// Source: RFC 7515 (JWS), RFC 7517 and 7518 (JWK, JWA), RFC 8725 (what went wrong with others).
// Limits: 64 KiB a token, 256 KiB and 100 keys a set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

enum class TokenAlgorithm { Rs256, Es256 };
std::string_view to_string(TokenAlgorithm algorithm);

// Numbers are big-endian bytes. Rs256: modulus and exponent; Es256: the point's x and y, 32 bytes
// each.
struct JsonWebKey {
  std::string id;  // empty: it has none
  TokenAlgorithm algorithm = TokenAlgorithm::Rs256;
  std::string first, second;
};
// Those that may sign such a token; keys of other kinds and for other uses are passed over.
Result<std::vector<JsonWebKey>> parse_json_web_keys(std::string_view text);

struct SignedToken {
  TokenAlgorithm algorithm = TokenAlgorithm::Rs256;
  std::string key_id;  // empty: it names none
  std::string signed_part;
  std::string signature;
  json::object claims;
};
Result<SignedToken> parse_signed_token(std::string_view text);

}  // namespace showcaller
