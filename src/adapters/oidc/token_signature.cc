// SPDX-License-Identifier: Apache-2.0
#include "adapters/oidc/token_signature.h"

#include <memory>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

namespace showcaller {
namespace {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number_of(const std::string& bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), int(bytes.size()), nullptr));
}

// Null: it is no key of that kind, a point beside its curve for one.
Key make_key(const char* kind, OSSL_PARAM_BLD* with) {
  const std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>> params(OSSL_PARAM_BLD_to_param(with));
  const std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (params && context && EVP_PKEY_fromdata_init(context.get()) == 1)
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  return Key(key);
}

Key key_of(const JsonWebKey& key) {
  const std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>> with(OSSL_PARAM_BLD_new());
  if (key.algorithm == TokenAlgorithm::Rs256) {
    const Number modulus = number_of(key.first), exponent = number_of(key.second);
    OSSL_PARAM_BLD_push_BN(with.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(with.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    return make_key("RSA", with.get());
  }
  const std::string point = "\x04" + key.first + key.second;  // Uncompressed.
  OSSL_PARAM_BLD_push_utf8_string(with.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(with.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return make_key("EC", with.get());
}

// A token has the two numbers of an ECDSA signature one after the other; OpenSSL wants them as DER.
std::string as_der(const std::string& signature) {
  constexpr std::size_t kHalf = 32;
  if (signature.size() != 2 * kHalf) return {};
  const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
  ECDSA_SIG_set0(pair.get(), number_of(signature.substr(0, kHalf)).release(),
                 number_of(signature.substr(kHalf)).release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<char*>(der), std::size_t(size));
  OPENSSL_free(der);
  return out;
}

bool is_signed_by(const SignedToken& token, const JsonWebKey& with) {
  const Key key = key_of(with);
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> digest(EVP_MD_CTX_new());
  const std::string signature =
      token.algorithm == TokenAlgorithm::Es256 ? as_der(token.signature) : token.signature;
  const bool good =
      key && EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(),
                       bytes_of(token.signed_part), token.signed_part.size()) == 1;
  ERR_clear_error();  // What it thought of this must not be told of the next connection.
  return good;
}

}  // namespace

Status check_signature(const SignedToken& token, std::span<const JsonWebKey> keys) {
  bool known = false;
  for (const JsonWebKey& key : keys) {
    if (key.algorithm != token.algorithm) continue;
    if (!token.key_id.empty() && key.id != token.key_id) continue;
    if (is_signed_by(token, key)) return {};
    known = true;
  }
  if (known) {
    return fail(ErrorCode::Unauthenticated,
                "the token was not signed with the issuer's key; who answers for the issuer?");
  }
  return fail(ErrorCode::Unauthenticated,
              fmt::format("the issuer publishes no {} key '{}'", to_string(token.algorithm),
                          token.key_id.substr(0, 64)));
}

}  // namespace showcaller
