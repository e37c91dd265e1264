// SPDX-License-Identifier: Apache-2.0
// The command line's side of the API: where the server is, with which token, and answers as values.
// What the server says of an error is its message: fact, remedies, findings with hints, trace.
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
  std::string certificate_file, key_file;  // --client-cert, --client-key, shown to the server
};

struct HistoryRequest {
  std::string event, kind;
  std::uint64_t from = 1;
  std::size_t limit = 1000;
};

enum class WatchEnd { Over, SomeLeftOut };

class ApiClient {
 public:
  static Result<ApiClient> open(const ServerAddress& address);

  Result<json::value> get(const std::string& target);
  Result<json::value> post(const std::string& target, const json::value& body,
                           const std::string& key = {});
  Result<json::value> remove(const std::string& target, const std::string& key = {});
  // False ends it.
  using RecordSink = std::function<bool(const json::object& record)>;
  // The journal's records, page by page, until the sink has had enough or the limit is reached.
  Status history(const HistoryRequest& request, const RecordSink& sink);
  // Each record as it becomes durable, after `after`, until the sink has had enough, the server
  // goes away, or some are left out: these are in the history.
  Result<WatchEnd> watch(const std::string& event, std::uint64_t after, const RecordSink& sink);
  // From any thread: the call under way and every later one fail.
  void interrupt() { client_.interrupt(); }

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
