// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/oidc_words.h"

#include <algorithm>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/serve/game_server_access.h"

namespace showcaller {
namespace {

std::unexpected<Error> wrong(std::string what) {
  return fail(ErrorCode::Invalid, std::move(what));
}

Status check_issuer(const std::string& issuer) {
  const auto url = parse_url(issuer);
  if (!url) {
    return wrong(
        fmt::format("--oidc-issuer: {}; write it as https://id.example.net", url.error().message));
  }
  if (url->tls || is_loopback(url->host) || url->host == "localhost") return {};
  return wrong(
      fmt::format("'{}' would vouch for people in clear text, and anybody in between with "
                  "it; write its https URL as --oidc-issuer",
                  issuer));
}

// The first line of the file.
Result<std::string> secret_in(const std::string& path) {
  std::ifstream file(path);
  std::string secret;
  if (std::getline(file, secret) && !secret.empty()) return secret;
  return wrong(
      fmt::format("no secret can be read from {}; write the client's secret there, or "
                  "leave --oidc-client-secret-file out where it has none",
                  path));
}

}  // namespace

void add_oidc_words(CLI::App* serve, OidcWords* words) {
  serve
      ->add_option("--oidc-issuer", words->issuer,
                   "URL of the OpenID Connect issuer that people sign in to the console by")
      ->envname("SHOWCALLER_OIDC_ISSUER");
  serve->add_option("--oidc-client-id", words->client_id, "What the issuer calls this server")
      ->envname("SHOWCALLER_OIDC_CLIENT_ID");
  serve
      ->add_option("--oidc-client-secret-file", words->client_secret_file,
                   "File with the client's secret; absent: it has none")
      ->envname("SHOWCALLER_OIDC_CLIENT_SECRET_FILE");
  serve->add_option("--oidc-name", words->name,
                    "What the sign-in page calls the issuer; absent: its host");
  serve->add_option("--oidc-scope", words->scopes,
                    "Asked of the issuer beside openid; may be repeated; absent: email, profile");
  serve
      ->add_option("--oidc-name-claim", words->name_claim,
                   "The claim by which policies and records name people")
      ->capture_default_str();
  serve
      ->add_option("--oidc-groups-claim", words->groups_claim,
                   "The claim with their groups, or its JSON pointer: /realm_access/roles")
      ->capture_default_str();
  serve
      ->add_option("--oidc-session", words->session_max,
                   "How long until the issuer is asked again who it is; 12h at most")
      ->capture_default_str();
  serve->add_option("--oidc-ca", words->ca_file,
                    "PEM by which its certificate is known; absent: the system's");
}

Result<std::optional<OidcOptions>> oidc_from_words(const OidcWords& words) {
  if (words.issuer.empty()) return std::nullopt;
  TRY(check_issuer(words.issuer));
  if (words.client_id.empty()) {
    return wrong("the issuer is named, but not what it calls this server; add --oidc-client-id");
  }
  OidcOptions out;
  out.issuer = words.issuer;
  out.client_id = words.client_id;
  if (!words.client_secret_file.empty()) {
    TRY(out.client_secret, secret_in(words.client_secret_file));
  }
  out.name = words.name.empty() ? parse_url(words.issuer)->host : words.name;
  if (!words.scopes.empty()) {
    out.scopes = {"openid"};
    for (const std::string& scope : words.scopes)
      if (scope != "openid") out.scopes.push_back(scope);
  }
  out.name_claim = words.name_claim;
  out.groups_claim = words.groups_claim;
  TRY(out.session_max, parse_duration(words.session_max));
  if (out.session_max <= Duration(0)) return wrong("--oidc-session is over at once; write 8h");
  out.tls.ca_file = words.ca_file;
  return out;
}

}  // namespace showcaller
