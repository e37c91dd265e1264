// SPDX-License-Identifier: Apache-2.0
#include "cli/api_client.h"

#include <fstream>

#include <fmt/format.h>
#include <sodium.h>

#include "base/hash.h"

namespace showcaller {
namespace {

ErrorCode code_of(int status, const json::object& problem) {
  const std::string code = get_string(problem, "code");
  for (int i = 0; i <= int(ErrorCode::Internal); ++i) {
    if (to_string(ErrorCode(i)) == code) return ErrorCode(i);
  }
  if (status == 404) return ErrorCode::NotFound;
  if (status == 409) return ErrorCode::Conflict;
  if (status == 401) return ErrorCode::Unauthenticated;
  if (status == 403) return ErrorCode::Forbidden;
  if (status == 429) return ErrorCode::Limit;
  return status >= 500 ? ErrorCode::Unavailable : ErrorCode::Invalid;
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
  if (!response) {
    Error error = response.error();
    if (error.code == ErrorCode::Unavailable) {
      error.message +=
          "; is the server running? Start one with `showcaller serve`, or name it with --server";
    }
    return std::unexpected(std::move(error));
  }
  if (response->body.empty() && response->status < 400) return json::value();
  auto body = parse_json(response->body);
  if (response->status < 400) return body;
  static const json::object kNothing;
  const json::object& problem = body && body->is_object() ? body->get_object() : kNothing;
  std::string message =
      get_string(problem, "detail", fmt::format("the server answered {}", response->status));
  if (const json::value* findings = get_if(problem, "findings"); findings && findings->is_array()) {
    for (const json::value& finding : findings->get_array()) {
      if (finding.is_object()) message += "\n  " + finding_line(finding.get_object());
    }
  }
  return fail(code_of(response->status, problem), message);
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

Result<json::value> ApiClient::remove(const std::string& target) {
  return answer(client_.send({"DELETE", target, {}, {}}));
}

Status ApiClient::watch(const std::string& event, std::uint64_t after,
                        const std::function<bool(const json::object& record)>& sink) {
  std::string target = fmt::format("/api/v1/watch?after={}", after);
  if (!event.empty()) target += "&event=" + percent_encode(event);
  std::string buffer;
  const auto response = client_.stream(
      {"GET", target, {{"Accept", "text/event-stream"}}, {}}, [&](std::string_view chunk) {
        buffer += chunk;
        for (std::size_t end; (end = buffer.find("\n\n")) != std::string::npos;
             buffer.erase(0, end + 2)) {
          std::string data;
          std::string_view block = std::string_view(buffer).substr(0, end);
          while (!block.empty()) {
            const std::size_t line_end = std::min(block.find('\n'), block.size());
            const std::string_view line = block.substr(0, line_end);
            if (line.starts_with("data:")) data += line.substr(line.starts_with("data: ") ? 6 : 5);
            block.remove_prefix(std::min(line_end + 1, block.size()));
          }
          const auto record = parse_json(data);
          if (record && record->is_object() && record->get_object().contains("payload") &&
              !sink(record->get_object()))
            return false;
        }
        return true;
      });
  if (!response) return std::unexpected(response.error());
  if (response->status >= 400) return std::unexpected(answer(*response).error());
  return {};
}

std::string new_idempotency_key() {
  std::string bytes(16, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return to_hex(bytes);
}

}  // namespace showcaller
