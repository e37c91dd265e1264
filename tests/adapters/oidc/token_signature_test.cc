// SPDX-License-Identifier: Apache-2.0
// Signatures by keys of OpenSSL's own making, and each thing that may be wrong with one.
#include "adapters/oidc/token_signature.h"

#include <memory>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

namespace showcaller {
namespace {

std::string number_in(const EVP_PKEY* key, const char* name, int size) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
  std::string out(std::size_t(size > 0 ? size : BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), int(out.size()));
  BN_free(number);
  return out;
}

// A private key, which signs as an issuer does.
class Signer {
 public:
  explicit Signer(TokenAlgorithm algorithm)
      : algorithm_(algorithm),
        key_(algorithm == TokenAlgorithm::Rs256 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"),
             EVP_PKEY_free) {}

  JsonWebKey public_key(std::string id) const {
    if (algorithm_ == TokenAlgorithm::Rs256) {
      return {std::move(id), algorithm_, number_in(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0),
              number_in(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0)};
    }
    return {std::move(id), algorithm_, number_in(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32),
            number_in(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32)};
  }

  SignedToken sign(std::string text, std::string key_id) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                         EVP_MD_CTX_free);
    EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size());
    std::string signature(size, '\0');
    EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                   text.size());
    signature.resize(size);
    if (algorithm_ == TokenAlgorithm::Es256) signature = two_numbers(signature);
    return {algorithm_, std::move(key_id), std::move(text), std::move(signature), {}};
  }

 private:
  static std::string two_numbers(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, long(der.size()));
    std::string out(64, '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), to, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), to + 32, 32);
    ECDSA_SIG_free(pair);
    return out;
  }

  TokenAlgorithm algorithm_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

class TokenSignature : public testing::TestWithParam<TokenAlgorithm> {};

TEST_P(TokenSignature, IsTheKeysOrNobodys) {
  const Signer ours(GetParam()), strangers(GetParam());
  const std::vector<JsonWebKey> keys{ours.public_key("k1")};
  for (int i = 0; i < 20; ++i) {  // Numbers with zeros before them come now and then.
    const SignedToken token = ours.sign("header.claims" + std::to_string(i), "k1");
    EXPECT_TRUE(check_signature(token, keys));
    SignedToken changed = token;
    changed.signed_part += "!";
    EXPECT_FALSE(check_signature(changed, keys));
    changed = token;
    changed.signature[std::size_t(i)] ^= 1;
    EXPECT_FALSE(check_signature(changed, keys));
  }
  EXPECT_TRUE(check_signature(ours.sign("a.b", ""), keys)) << "it may name no key";
  const auto unknown = check_signature(ours.sign("a.b", "k2"), keys);
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("'k2'"), std::string::npos);
  const auto forged = check_signature(strangers.sign("a.b", "k1"), keys);
  ASSERT_FALSE(forged);
  EXPECT_EQ(forged.error().code, ErrorCode::Unauthenticated);
  EXPECT_FALSE(check_signature(ours.sign("a.b", "k1"), {}));
}

TEST_P(TokenSignature, OfTheWrongShapeIsNone) {
  const Signer ours(GetParam());
  const std::vector<JsonWebKey> keys{ours.public_key("k1")};
  for (const std::size_t size : {0, 1, 63, 65, 255, 257}) {
    SignedToken token = ours.sign("a.b", "k1");
    token.signature.resize(size);
    EXPECT_FALSE(check_signature(token, keys)) << size;
  }
  SignedToken zeros = ours.sign("a.b", "k1");
  zeros.signature.assign(zeros.signature.size(), '\0');
  EXPECT_FALSE(check_signature(zeros, keys));
}

INSTANTIATE_TEST_SUITE_P(Both, TokenSignature,
                         testing::Values(TokenAlgorithm::Rs256, TokenAlgorithm::Es256),
                         [](const auto& each) { return std::string(to_string(each.param)); });

// A key of one kind is no key of the other, whatever the token says.
TEST(TokenSignatureKinds, AreNotMixed) {
  const Signer rsa(TokenAlgorithm::Rs256), curve(TokenAlgorithm::Es256);
  const std::vector<JsonWebKey> keys{rsa.public_key("k1")};
  EXPECT_FALSE(check_signature(curve.sign("a.b", "k1"), keys));
  SignedToken claims_other = rsa.sign("a.b", "k1");
  claims_other.algorithm = TokenAlgorithm::Es256;
  EXPECT_FALSE(check_signature(claims_other, keys));
}

TEST(TokenSignatureKinds, APointBesideTheCurveIsNoKey) {
  const Signer curve(TokenAlgorithm::Es256);
  JsonWebKey key = curve.public_key("k1");
  key.second[31] ^= 1;
  EXPECT_FALSE(check_signature(curve.sign("a.b", "k1"), {&key, 1}));
}

}  // namespace
}  // namespace showcaller
