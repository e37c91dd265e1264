// SPDX-License-Identifier: Apache-2.0
// What issuers of identities say: a token, a set of keys, a configuration, an answer of the token
// endpoint. Each is anybody's bytes until its signature is checked.
//
// Links: sc_codec
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/base64url.h"
#include "base/check.h"
#include "codec/json_web_token.h"
#include "codec/oidc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace showcaller;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto token = parse_signed_token(text)) {
    CHECK(text.starts_with(token->signed_part));
    CHECK(text.substr(token->signed_part.size()) == "." + to_base64url(token->signature));
    // Nothing that it says makes it ours: the issuer has no name.
    CHECK(!check_id_token(token->claims, {.issuer = "", .client_id = "c", .nonce = ""}));
    (void)groups_in(token->claims, "/realm_access/roles");
    if (const auto person = person_in(token->claims, "sub")) CHECK(person->size() <= 128);
  }
  if (const auto keys = parse_json_web_keys(text)) {
    for (const JsonWebKey& key : *keys) CHECK(key.first.size() <= 1'024 && !key.second.empty());
  }
  if (const auto found = parse_oidc_discovery(text, "https://id.example.net"))
    CHECK(found->token_endpoint.starts_with("https://"));
  (void)parse_oidc_token_answer(200, text);
  // The parts by themselves, which the fuzzer would else have to find the base64 of.
  const std::string whole = to_base64url(R"({"alg":"ES256"})") + "." + to_base64url(text) + ".AA";
  if (const auto token = parse_signed_token(whole)) {
    (void)check_id_token(token->claims, {.issuer = "i", .client_id = "c", .nonce = "n"});
    (void)groups_in(token->claims, "groups");
  }
  return 0;
}
