// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/listening.h"

#include <algorithm>

#include <sys/resource.h>

namespace showcaller {

Result<std::optional<TlsServerOptions>> tls_from_words(const std::string& certificate,
                                                       const std::string& key,
                                                       const std::string& client_ca) {
  if (certificate.empty() != key.empty()) {
    return fail(ErrorCode::Invalid, "--tls-cert and --tls-key go together; give both or neither");
  }
  if (certificate.empty() && !client_ca.empty()) {
    return fail(ErrorCode::Invalid,
                "--tls-client-ca needs TLS; give --tls-cert and --tls-key as well");
  }
  if (certificate.empty()) return std::nullopt;
  return TlsServerOptions{certificate, key, client_ca};
}

std::size_t connections_max() {
  constexpr rlim_t kAsked = 60'000, kForAllElse = 1'000, kAtLeast = 100;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, kAsked + kForAllElse);
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  return std::size_t(std::max(kAtLeast, files.rlim_cur - std::min(files.rlim_cur, kForAllElse)));
}

}  // namespace showcaller
