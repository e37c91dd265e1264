// SPDX-License-Identifier: Apache-2.0
// OpenSSL contexts from files, for the server and the client. TLS 1.2 and later.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace showcaller {

struct TlsServerOptions;
struct TlsClientOptions;
using TlsContext = std::shared_ptr<ssl_ctx_st>;

// Invalid: a file cannot be read, is not PEM, or key and certificate differ; the message says
// which.
Result<TlsContext> make_server_tls(const TlsServerOptions& options);
Result<TlsContext> make_client_tls(const TlsClientOptions& options);

// Of a verified peer certificate: its first URI name (SPIFFE), else its common name; empty when
// there is none.
std::string tls_peer_subject(const ssl_st* connection);
// What OpenSSL last complained about on this thread.
std::string tls_error_text();

}  // namespace showcaller
