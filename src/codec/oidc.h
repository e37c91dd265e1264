// SPDX-License-Identifier: Apache-2.0
// What an issuer of identities says over OpenID Connect: where it is asked, what it answers, and
// whether an ID token is meant for us, now, for this very attempt to sign in.
//
// Source: OpenID Connect Core 1.0 (3.1.2, 3.1.3, 3.1.3.7), Discovery 1.0, RFC 7636 (PKCE).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace showcaller {

// Of ISSUER/.well-known/openid-configuration.
struct OidcDiscovery {
  std::string authorization_endpoint, token_endpoint, jwks_uri;
  bool takes_basic = true;   // the client's secret in Authorization; else in the form
  bool says_issuer = false;  // comes back with `iss` (RFC 9207)
};
// Invalid: it is another issuer's, or an address in it is not https where the issuer's is.
Result<OidcDiscovery> parse_oidc_discovery(std::string_view text, std::string_view issuer);

// The ID token in the answer of the token endpoint; Unauthenticated says what the issuer said
// instead.
Result<std::string> parse_oidc_token_answer(int status, std::string_view body);

// What goes to the issuer for a verifier that stays here (S256).
std::string pkce_challenge(std::string_view verifier);

struct IdTokenRules {
  std::string issuer, client_id, nonce;
  Instant now{};
  Duration skew = seconds(60);  // by which the issuer's clock may be wrong
};
// Unauthenticated: which claim is not as it has to be.
Status check_id_token(const json::object& claims, const IdTokenRules& rules);

// A claim by its name, or, from a "/" on, by its JSON pointer: "groups", "/realm_access/roles".
// Null when it is not there.
const json::value* find_claim(const json::object& claims, std::string_view name);
// Who it is: a text, at most 128 characters, all printable; an `email` has to be a verified one.
Result<std::string> person_in(const json::object& claims, std::string_view claim);
// A text or a list of texts, 1,000 at most; absent: none.
Result<std::vector<std::string>> groups_in(const json::object& claims, std::string_view claim);

}  // namespace showcaller
