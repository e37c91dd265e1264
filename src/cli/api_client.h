// SPDX-License-Identifier: Apache-2.0
// The command line's side of the API: where the server is, with which token, and answers as values.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "net/http_client.h"

namespace showcaller {

struct ServerAddress {
  std::string url;         // --server, SHOWCALLER_SERVER, else http://127.0.0.1:8700
  std::string token;       // SHOWCALLER_TOKEN
  std::string token_file;  // --token-file, SHOWCALLER_TOKEN_FILE
  std::string ca_file;     // --ca, SHOWCALLER_CA
};

class ApiClient {
 public:
  static Result<ApiClient> open(const ServerAddress& address);

  Result<json::value> get(const std::string& target);
  Result<json::value> post(const std::string& target, const json::value& body,
                           const std::string& key = {});
  Result<json::value> remove(const std::string& target);
  // Each record as it becomes durable, after `after`, until sink returns false or the server goes
  // away.
  Status watch(const std::string& event, std::uint64_t after,
               const std::function<bool(const json::object& record)>& sink);

 private:
  explicit ApiClient(HttpClientOptions options) : client_(std::move(options)) {}
  Result<json::value> answer(Result<HttpResponse> response);
  HttpClient client_;
};

// "raid.yaml:12:5: error: spec.risk: message; hint", of a finding as the API tells it.
std::string finding_line(const json::object& finding);

// A fresh key, so that a command that is sent again after a lost answer has one effect.
std::string new_idempotency_key();

}  // namespace showcaller
