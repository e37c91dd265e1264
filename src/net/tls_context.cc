// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/http_client.h"
#include "net/http_server.h"

namespace showcaller {
namespace {

std::unexpected<Error> bad_file(std::string_view what, const std::string& file) {
  return fail(ErrorCode::Invalid,
              fmt::format("cannot use the {} in '{}': {}; give a readable PEM file", what, file,
                          tls_error_text()));
}

Status load_identity(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return bad_file("TLS certificate", certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return bad_file("TLS key", key);
  }
  return {};
}

// We speak HTTP/1.1 and nothing else; a client that offers other protocols only is still let in, as
// RFC 7301 allows.
int choose_http_1_1(SSL*, const unsigned char** out, unsigned char* size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr unsigned char kOurs[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, size, kOurs, sizeof kOurs, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

TlsContext make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(method), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

std::string to_text(const ASN1_STRING* text) {
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string first_uri_name(X509* certificate) {
  std::string uri;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names) && uri.empty(); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_URI) uri = to_text(name->d.uniformResourceIdentifier);
  }
  GENERAL_NAMES_free(names);
  return uri;
}

}  // namespace

std::string tls_error_text() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown TLS error";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("TLS error {:x}", code);
}

Result<TlsContext> make_server_tls(const TlsServerOptions& options) {
  auto context = make_context(TLS_server_method());
  TRY(load_identity(context.get(), options.certificate_file, options.key_file));
  SSL_CTX_set_alpn_select_cb(context.get(), choose_http_1_1, nullptr);
  static constexpr unsigned char kSessionContext[] = "showcaller";
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof kSessionContext - 1);
  if (!options.client_ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(context.get(), options.client_ca_file.c_str(), nullptr) !=
        1) {
      return bad_file("client CA", options.client_ca_file);
    }
    SSL_CTX_set_client_CA_list(context.get(),
                               SSL_load_client_CA_file(options.client_ca_file.c_str()));
    const int required = options.client_certificate_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | required, nullptr);
  }
  return context;
}

Result<TlsContext> make_client_tls(const TlsClientOptions& options) {
  auto context = make_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr) != 1) {
    return bad_file("CA", options.ca_file);
  }
  if (!options.certificate_file.empty()) {
    TRY(load_identity(context.get(), options.certificate_file, options.key_file));
  }
  return context;
}

std::string tls_peer_subject(const SSL* connection) {
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) return {};
  if (auto uri = first_uri_name(certificate); !uri.empty()) return uri;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  return at < 0 ? std::string()
                : to_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

}  // namespace showcaller
