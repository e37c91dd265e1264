// SPDX-License-Identifier: Apache-2.0
#include "cli/api_client.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <sodium.h>

#include "base/hash.h"
#include "net/sse.h"
#include "wire/problem.h"

namespace showcaller {
namespace {

constexpr std::size_t kHistoryPage = 1'000;

Error error_of(const HttpResponse& response) {
  Error error = error_from_problem(response.status, response.body);
  const auto body = parse_json(response.body);
  if (!body || !body->is_object()) return error;
  const json::value* findings = get_if(body->get_object(), "findings");
  for (const json::value& finding :
       findings && findings->is_array() ? findings->get_array() : json::array{}) {
    if (finding.is_object()) error.message += "\n  " + finding_line(finding.get_object());
  }
  if (const auto trace = get_string(body->get_object(), "trace"); !trace.empty())
    error.message += fmt::format("\n  trace {}", trace);
  return error;
}

}  // namespace

std::string finding_line(const json::object& finding) {
  std::string out;
  if (get_int(finding, "line") > 0)
    out = fmt::format("{}:{}:{}: ", get_string(finding, "file"), get_int(finding, "line"),
                      get_int(finding, "column"));
  out += get_string(finding, "severity", "error") + ": ";
  if (const std::string path = get_string(finding, "path"); !path.empty()) out += path + ": ";
  out += get_string(finding, "message");
  if (const std::string hint = get_string(finding, "hint"); !hint.empty()) out += "; " + hint;
  return out;
}

Result<ApiClient> ApiClient::open(const ServerAddress& address) {
  HttpClientOptions options;
  options.base_url = address.url;
  options.tls.ca_file = address.ca_file;
  options.tls.certificate_file = address.certificate_file;
  options.tls.key_file = address.key_file;
  if (address.certificate_file.empty() != address.key_file.empty()) {
    return fail(ErrorCode::Invalid, "--client-cert and --client-key go together; give both");
  }
  std::string token = address.token;
  if (!address.token_file.empty()) {
    std::ifstream file(address.token_file);
    if (!std::getline(file, token)) {
      return fail(ErrorCode::Invalid,
                  fmt::format("no token can be read from {}", address.token_file));
    }
  }
  while (!token.empty() && (token.back() == '\n' || token.back() == ' ')) token.pop_back();
  if (!token.empty()) options.headers.add("Authorization", "Bearer " + token);
  return ApiClient(std::move(options));
}

Result<json::value> ApiClient::answer(Result<HttpResponse> response) {
  if (!response) return std::unexpected(response.error());
  if (response->status >= 400) return std::unexpected(error_of(*response));
  if (response->body.empty()) return json::value();
  return parse_json(response->body);
}

Result<json::value> ApiClient::get(const std::string& target) {
  return answer(client_.get(target));
}

Result<json::value> ApiClient::post(const std::string& target, const json::value& body,
                                    const std::string& key) {
  HttpClientRequest request{
      "POST", target, {{"Content-Type", "application/json"}}, to_json_text(body)};
  request.headers.add("Idempotency-Key", key.empty() ? new_idempotency_key() : key);
  return answer(client_.send(request));
}

Result<json::value> ApiClient::remove(const std::string& target, const std::string& key) {
  HttpClientRequest request{"DELETE", target, {}, {}};
  request.headers.add("Idempotency-Key", key.empty() ? new_idempotency_key() : key);
  return answer(client_.send(request));
}

Status ApiClient::history(const HistoryRequest& request, const RecordSink& sink) {
  std::uint64_t from = request.from;
  for (std::size_t left = request.limit; left > 0;) {
    std::string target = fmt::format("/api/v1/history?from={}&limit={}", from,
                                     std::min<std::size_t>(left, kHistoryPage));
    if (!request.event.empty()) target += "&event=" + percent_encode(request.event);
    if (!request.kind.empty()) target += "&kind=" + percent_encode(request.kind);
    TRY(const auto page, get(target));
    for (const json::value& record : page.at("records").as_array()) {
      --left;
      if (!sink(record.as_object())) return {};
    }
    const json::value* next = page.as_object().if_contains("next");
    if (!next || !next->is_number()) return {};
    from = next->to_number<std::uint64_t>();
  }
  return {};
}

Result<WatchEnd> ApiClient::watch(const std::string& event, std::uint64_t after,
                                  const RecordSink& sink) {
  std::string target = fmt::format("/api/v1/watch?after={}", after);
  if (!event.empty()) target += "&event=" + percent_encode(event);
  SseParser parser;
  WatchEnd end = WatchEnd::Over;
  const auto response = client_.stream(
      {"GET", target, {{"Accept", "text/event-stream"}}, {}}, [&](std::string_view chunk) {
        for (const SseEvent& told : parser.feed(chunk)) {
          if (told.event == "missed") {
            end = WatchEnd::SomeLeftOut;
            return false;
          }
          const auto record = parse_json(told.data);
          if (record && record->is_object() && !sink(record->get_object())) return false;
        }
        return true;
      });
  if (!response) return std::unexpected(response.error());
  if (response->status >= 400) return std::unexpected(error_of(*response));
  return end;
}

std::string new_idempotency_key() {
  std::string bytes(16, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return to_hex(bytes);
}

}  // namespace showcaller
