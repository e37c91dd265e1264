// SPDX-License-Identifier: Apache-2.0
// What an issuer of identities says: a table of tokens that are not for us, each wrong in one way.
#include "codec/oidc.h"

#include <gtest/gtest.h>

#include "base/base64url.h"
#include "codec/json_web_token.h"

namespace showcaller {
namespace {

const Instant kSignInTime = parse_instant("2026-12-18T18:00:00Z").value();
const IdTokenRules kTokenRules{.issuer = "https://id.example.net",
                               .client_id = "showcaller",
                               .nonce = "n-1",
                               .now = kSignInTime};

std::int64_t in_seconds(Duration from_now) {
  return to_ms(kSignInTime + from_now) / 1'000;
}

json::object claims_for_us() {
  return {{"iss", "https://id.example.net"},
          {"sub", "u-17"},
          {"aud", "showcaller"},
          {"exp", in_seconds(minutes(5))},
          {"iat", in_seconds(seconds(-1))},
          {"nonce", "n-1"},
          {"email", "ann@studio.example"},
          {"email_verified", true},
          {"groups", {"live-ops", "everybody"}}};
}

std::string wrong_with(const json::object& claims) {
  const Status good = check_id_token(claims, kTokenRules);
  if (good) return "";
  EXPECT_EQ(good.error().code, ErrorCode::Unauthenticated);
  return good.error().message;
}

TEST(IdToken, OneThatIsForUsIsTaken) {
  EXPECT_EQ(wrong_with(claims_for_us()), "");
  json::object claims = claims_for_us();
  claims["aud"] = json::array{"showcaller"};
  EXPECT_EQ(wrong_with(claims), "");
  claims["aud"] = json::array{"games", "showcaller"};
  claims["azp"] = "showcaller";
  EXPECT_EQ(wrong_with(claims), "");
  claims["nbf"] = in_seconds(seconds(59));
  claims["iat"] = double(in_seconds(seconds(59))) + 0.5;
  claims["exp"] = in_seconds(seconds(-59));
  EXPECT_EQ(wrong_with(claims), "") << "clocks may differ by a minute";
}

TEST(IdToken, WhatIsWrongIsSaid) {
  struct Row {
    std::string claim;
    json::value value;  // null: it is not there
    std::string says;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"iss", "https://id.example.net/", "of another issuer"},
           {"iss", nullptr, "of another issuer"},
           {"sub", nullptr, "speaks of nobody"},
           {"sub", 17, "speaks of nobody"},
           {"aud", "games", "for another client"},
           {"aud", nullptr, "for another client"},
           {"aud", json::array{}, "for another client"},
           {"aud", json::array{"games"}, "for another client"},
           {"aud", json::object{{"showcaller", 1}}, "for another client"},
           {"aud", json::array{"showcaller", "games"}, "given to another client"},
           {"azp", "games", "given to another client"},
           {"azp", 1, "given to another client"},
           {"exp", in_seconds(seconds(-60)), "expired at 2026-12-18T17:59:00Z"},
           {"exp", nullptr, "from when until when"},
           {"exp", "soon", "`exp` is no time"},
           {"exp", -1, "`exp` is no time"},
           {"exp", 1e300, "`exp` is no time"},
           {"iat", in_seconds(seconds(61)), "good from 2026-12-18T18:01:01Z on"},
           {"iat", nullptr, "from when until when"},
           {"nbf", in_seconds(seconds(61)), "good from 2026-12-18T18:01:01Z on"},
           {"nonce", "n-2", "another attempt"},
           {"nonce", nullptr, "another attempt"}}) {
    json::object claims = claims_for_us();
    claims[row.claim] = row.value;
    if (row.value.is_null()) claims.erase(row.claim);
    EXPECT_NE(wrong_with(claims).find(row.says), std::string::npos)
        << row.claim << " " << to_json_text(row.value) << ": " << wrong_with(claims);
  }
  IdTokenRules without = kTokenRules;
  without.nonce = "";
  json::object claims = claims_for_us();
  claims["nonce"] = "";
  EXPECT_FALSE(check_id_token(claims, without)) << "an attempt without a nonce is none";
}

TEST(IdToken, SaysWhoAndInWhichGroups) {
  json::object claims = claims_for_us();
  EXPECT_EQ(person_in(claims, "email").value(), "ann@studio.example");
  EXPECT_EQ(person_in(claims, "sub").value(), "u-17");
  EXPECT_FALSE(person_in(claims, "upn"));
  EXPECT_EQ(groups_in(claims, "groups").value(),
            (std::vector<std::string>{"live-ops", "everybody"}));
  EXPECT_TRUE(groups_in(claims, "roles")->empty());
  claims["realm_access"] = json::object{{"roles", json::array{"lead"}}};
  EXPECT_EQ(groups_in(claims, "/realm_access/roles").value(), std::vector<std::string>{"lead"});
  EXPECT_TRUE(groups_in(claims, "/realm_access/roles/0")->empty());
  EXPECT_TRUE(groups_in(claims, "/groups/roles")->empty());
  claims["groups"] = "live-ops";
  EXPECT_EQ(groups_in(claims, "groups").value(), std::vector<std::string>{"live-ops"});

  claims["groups"] = json::array{"live-ops", 7};
  EXPECT_FALSE(groups_in(claims, "groups"));
  claims["groups"] = json::array(1'001, json::value("x"));
  EXPECT_FALSE(groups_in(claims, "groups"));
  claims["email"] = "ann\n@studio.example";
  EXPECT_FALSE(person_in(claims, "email"));
  claims["email"] = std::string(129, 'a');
  EXPECT_FALSE(person_in(claims, "email"));
}

TEST(IdToken, AnAddressThatNobodyVerifiedIsNoName) {
  json::object claims = claims_for_us();
  for (const json::value& verified : {json::value(false), json::value("true"), json::value()}) {
    claims["email_verified"] = verified;
    EXPECT_FALSE(person_in(claims, "email"));
  }
  claims.erase("email_verified");
  EXPECT_FALSE(person_in(claims, "email"));
}

TEST(Discovery, IsTheIssuersOwn) {
  const std::string text =
      R"({"issuer":"https://id.example.net","authorization_endpoint":"https://id.example.net/auth?tenant=1",)"
      R"("token_endpoint":"https://id.example.net/token","jwks_uri":"https://keys.example.net/jwks"})";
  const auto found = parse_oidc_discovery(text, "https://id.example.net");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->authorization_endpoint, "https://id.example.net/auth?tenant=1");
  EXPECT_TRUE(found->takes_basic);
  EXPECT_FALSE(found->says_issuer);
  EXPECT_EQ(parse_oidc_discovery(text, "https://id.example.net/").error().message,
            "it calls itself 'https://id.example.net'; write --oidc-issuer just so");
  for (const std::string wrong :
       {"http://id.example.net/token", "", "javascript:alert(1)", "https://id.example.net/a b"}) {
    auto value = parse_json(text).value();
    value.get_object()["token_endpoint"] = wrong;
    EXPECT_FALSE(parse_oidc_discovery(to_json_text(value), "https://id.example.net")) << wrong;
  }
  auto value = parse_json(text).value();
  value.get_object()["token_endpoint_auth_methods_supported"] = json::array{"client_secret_post"};
  value.get_object()["authorization_response_iss_parameter_supported"] = true;
  const auto other = parse_oidc_discovery(to_json_text(value), "https://id.example.net");
  EXPECT_FALSE(other->takes_basic);
  EXPECT_TRUE(other->says_issuer);
}

TEST(TokenAnswer, IsATokenOrWhatTheIssuerSays) {
  EXPECT_EQ(parse_oidc_token_answer(200, R"({"id_token":"a.b.c"})").value(), "a.b.c");
  EXPECT_NE(parse_oidc_token_answer(200, "{}").error().message.find("no ID token"),
            std::string::npos);
  EXPECT_EQ(
      parse_oidc_token_answer(400, R"({"error":"invalid_grant","error_description":"code\nused"})")
          .error()
          .message,
      "the issuer did not take the code: invalid_grant, code used");
  EXPECT_EQ(parse_oidc_token_answer(502, "<html>").error().message,
            "the issuer did not take the code: 502");
}

// RFC 7636, appendix B.
TEST(Pkce, TheStandardsOwnExample) {
  EXPECT_EQ(pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

std::string token_text(std::string_view header, std::string_view claims,
                       std::string_view signature = "x") {
  return to_base64url(header) + "." + to_base64url(claims) + "." + to_base64url(signature);
}

TEST(SignedToken, OnlyWhatAPublicKeyCanCheckIsRead) {
  const auto token = parse_signed_token(token_text(R"({"alg":"ES256","kid":"k1"})", R"({"a":1})"));
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->algorithm, TokenAlgorithm::Es256);
  EXPECT_EQ(token->key_id, "k1");
  EXPECT_EQ(token->signature, "x");
  EXPECT_EQ(get_int(token->claims, "a"), 1);
  for (const char* algorithm :
       {"none", "None", "NONE", "HS256", "HS512", "RS384", "PS256", "EdDSA", "rs256", ""}) {
    const auto refused = parse_signed_token(
        token_text(std::string(R"({"alg":")") + algorithm + R"("})", R"({"a":1})"));
    ASSERT_FALSE(refused) << algorithm;
    EXPECT_NE(refused.error().message.find("proves nothing"), std::string::npos);
  }
  const std::string good = token_text(R"({"alg":"RS256"})", "{}");
  for (const std::string& broken :
       {std::string(), std::string(".."), good + ".", good.substr(0, good.rfind('.')), good + "=",
        token_text("[]", "{}"), token_text(R"({"alg":"RS256"})", "1"), token_text("{}", "{}"),
        token_text(R"({"alg":"RS256","crit":["b64"]})", "{}"), std::string(70'000, 'a')})
    EXPECT_FALSE(parse_signed_token(broken)) << broken.substr(0, 80);
}

TEST(JsonWebKeys, KeysThatSignAreTakenAndOthersPassedOver) {
  const std::string n = to_base64url(std::string(256, '\x9f'));
  const std::string xy = to_base64url(std::string(32, '\x01'));
  const std::string rsa = R"("kty":"RSA","e":"AQAB","n":")" + n + '"';
  const std::string ec = R"("kty":"EC","crv":"P-256","x":")" + xy + R"(","y":")" + xy + '"';
  const auto keys = parse_json_web_keys(
      R"({"keys":[{"kid":"a",)" + rsa + R"(},{"kid":"b","use":"sig","alg":"ES256",)" + ec +
      R"(},{"use":"enc",)" + rsa + R"(},{"alg":"RS512",)" + rsa + R"(},{"alg":"HS256",)" + rsa +
      R"(},{"kty":"oct","k":"AAAA"},{"kty":"EC","crv":"P-384","x":"AA","y":"AA"},)" +
      R"({"kty":"RSA","e":"AQAB","n":"AQAB"},{"kty":"RSA","e":"AQAB","n":"!"},7]})");
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].id, "a");
  EXPECT_EQ((*keys)[0].first.size(), 256u);
  EXPECT_EQ((*keys)[0].second, std::string("\x01\x00\x01", 3));
  EXPECT_EQ((*keys)[1].algorithm, TokenAlgorithm::Es256);
  EXPECT_FALSE(parse_json_web_keys("[]"));
  EXPECT_FALSE(parse_json_web_keys("{}"));
  EXPECT_FALSE(parse_json_web_keys(R"({"keys":{}})"));
}

}  // namespace
}  // namespace showcaller
