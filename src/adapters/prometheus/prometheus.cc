// SPDX-License-Identifier: Apache-2.0
#include "adapters/prometheus/prometheus.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

constexpr std::size_t kAnswerBytesMost = 8 << 20;
constexpr std::size_t kWordsKeptMax = 300;
constexpr std::string_view kClosing = "the server is stopping";

// What a stranger wrote, fit for a record: printable, on one line, short.
std::string tamed(std::string_view text) {
  std::string out(text.substr(0, kWordsKeptMax));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out;
}

// A sample's value is text, so that it can be "NaN" and "+Inf".
std::optional<double> value_in(const json::value& pair) {
  if (!pair.is_array() || pair.get_array().size() != 2) return std::nullopt;
  const json::value& text = pair.get_array()[1];
  if (!text.is_string()) return std::nullopt;
  const std::string_view digits = text.get_string();
  if (digits == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (digits.ends_with("Inf"))
    return digits.starts_with('-') ? -std::numeric_limits<double>::infinity()
                                   : std::numeric_limits<double>::infinity();
  double value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<QuerySample> sample_in(const json::value& item) {
  const auto* object = item.if_object();
  const json::value* pair = object ? get_if(*object, "value") : nullptr;
  const auto value = pair ? value_in(*pair) : std::nullopt;
  if (!value) return std::nullopt;
  QuerySample sample{.series = {}, .group = {}, .value = *value};
  std::map<std::string, std::string> labels;
  if (const json::value* metric = get_if(*object, "metric"); metric && metric->is_object()) {
    for (const auto& [name, label] : metric->get_object()) {
      if (label.is_string()) labels[std::string(name)] = std::string(label.get_string());
    }
  }
  for (const auto& [name, label] : labels) {
    sample.series += fmt::format("{}={}\n", name, label);
    if (name == "instance") sample.group = label;
  }
  return sample;
}

Result<std::vector<QuerySample>> samples_in(const json::object& data, std::size_t series_max) {
  const std::string type = get_string(data, "resultType");
  const json::value* result = get_if(data, "result");
  if (result && type == "scalar") {
    if (const auto value = value_in(*result)) return std::vector{QuerySample{{}, {}, *value}};
  }
  if (!result || !result->is_array() || type != "vector") {
    return fail(ErrorCode::Invalid,
                fmt::format("the query gives a {}; write one that gives an instant vector",
                            type.empty() ? "nothing" : tamed(type)));
  }
  const json::array& items = result->get_array();
  if (items.size() > series_max) {
    return fail(ErrorCode::Limit, fmt::format("the query gives {} series, of which {} are taken; "
                                              "add them up with sum by (instance)",
                                              items.size(), series_max));
  }
  std::vector<QuerySample> out;
  for (const json::value& item : items) {
    auto sample = sample_in(item);
    if (!sample) return fail(ErrorCode::Invalid, "a series of the answer has no number");
    out.push_back(*std::move(sample));
  }
  return out;
}

}  // namespace

Result<std::vector<QuerySample>> prometheus_samples(int status, std::string_view body,
                                                    std::size_t series_max) {
  const auto parsed = parse_json(body, {.bytes_max = kAnswerBytesMost, .depth_max = 8});
  const json::object* answer = parsed ? parsed->if_object() : nullptr;
  if (answer && get_string(*answer, "status") == "success") {
    if (const json::value* data = get_if(*answer, "data"); data && data->is_object())
      return samples_in(data->get_object(), series_max);
  }
  const std::string said = answer ? get_string(*answer, "error") : std::string();
  const ErrorCode code =
      status == 400 || status == 422 ? ErrorCode::Invalid : ErrorCode::Unavailable;
  return fail(code, fmt::format("it answers {} {}{}{}", status, reason_phrase(status),
                                said.empty() ? "" : ": ", tamed(said)));
}

Prometheus::Prometheus(PrometheusOptions options)
    : options_(std::move(options)), queue_(options_.waiting_max, options_.threads) {}

void Prometheus::ask(const std::string& query, Done done) {
  const auto fails = [done](ErrorCode code, std::string why) { done(fail(code, std::move(why))); };
  const CallQueue::Put put = queue_.put([this, query, done, fails](CallQueue::Turn turn) {
    if (turn == CallQueue::Turn::Never) return fails(ErrorCode::Unavailable, std::string(kClosing));
    auto answer = answer_of(query);
    if (answer) return done(std::move(answer));
    fails(answer.error().code,
          fmt::format("Prometheus at {}: {}", options_.url, answer.error().message));
  });
  if (put == CallQueue::Put::Ending) fails(ErrorCode::Unavailable, std::string(kClosing));
  if (put == CallQueue::Put::Full) {
    fails(ErrorCode::Unavailable,
          fmt::format("{} queries wait for {} already", options_.waiting_max, options_.url));
  }
}

Result<std::vector<QuerySample>> Prometheus::answer_of(const std::string& query) {
  HttpClientOptions options;
  options.base_url = options_.url;
  options.tls = options_.tls;
  options.connect_timeout = options.timeout = options_.timeout;
  options.body_bytes_max = kAnswerBytesMost;
  if (!options_.token_file.empty()) {
    std::ifstream file(options_.token_file);
    std::string token;
    if (!std::getline(file, token) || token.empty())
      return fail(ErrorCode::Unavailable,
                  fmt::format("no token can be read from {}", options_.token_file));
    options.headers.add("Authorization", "Bearer " + token);
  }
  HttpClient client(std::move(options));
  const auto answer = queue_.exchange(
      &client, {.method = "GET", .target = "/api/v1/query?query=" + percent_encode(query)});
  if (!answer) return std::unexpected(answer.error());
  return prometheus_samples(answer->status, answer->body, options_.series_max);
}

}  // namespace showcaller
