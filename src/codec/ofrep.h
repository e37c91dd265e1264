// SPDX-License-Identifier: Apache-2.0
// OpenFeature Remote Evaluation Protocol: one flag, all flags, and what this server supports.
//
//   POST /ofrep/v1/evaluate/flags/{key}   {"context":{…}} → 200, 400, 404
//   POST /ofrep/v1/evaluate/flags         the same, for all; ETag and If-None-Match → 200, 304, 400
//   GET  /ofrep/v1/configuration          what a provider may ask for
//
// A flag that leaves its value to the caller (no default variant, or disabled) answers 200 without
// `value` and `variant`, as the protocol's record 6 says. The entity tag is a hash of the answer
// itself, so 304 is never wrong. All flags come with the stream that tells of changes, as record 8
// says (`eventStreams`), where there is one. Which flags there are for a caller is decided by the
// set that is handed in. Threads: none. Source: open-feature/protocol, service/openapi.yaml; flagd
// where the protocol leaves a choice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "flag/flag_set.h"

namespace showcaller {

inline constexpr std::string_view kOfrepPrefix = "/ofrep/v1/";

// Where a provider is told that it should ask again: server-sent events.
//
//   id: FINGERPRINT
//   data: {"type":"refetchEvaluation","etag":"FINGERPRINT"}
struct OfrepEventStream {
  std::string origin;      // "https://flags.example.com"; empty: where the provider asks anyway
  std::string target;      // path and query
  int inactivity_s = 120;  // after which a provider that nobody uses hangs up
};
std::string ofrep_refetch_event(std::string_view fingerprint);  // the data

struct OfrepOptions {
  std::int64_t polling_ms_min = 5'000;       // told to providers
  const EvaluationContext* added = nullptr;  // attributes that hide the request's; not owned
  std::optional<OfrepEventStream> stream;    // told with all flags
};

struct OfrepRequest {
  std::string_view method;
  std::string_view path;           // decoded, without the query
  std::string_view if_none_match;  // the header's value, or empty
  std::string_view body;
};

struct OfrepReply {
  int status = 200;
  std::string etag;   // with its quotes; empty: no such header
  std::string allow;  // with 405
  std::string body;   // JSON, or empty
  // What was answered of flags that there are, by number (FlagSet::answer), for who counts.
  std::vector<std::uint32_t> answers{};
};

// Answers any path below the prefix.
OfrepReply answer_ofrep(const OfrepRequest& request, const FlagSet& flags, Instant now,
                        const OfrepOptions& options = {});

// The parts, for callers with a transport of their own. What they give lives in `storage`.
Result<json::object> decode_ofrep_context(std::string_view body, json::storage_ptr storage = {});
json::object ofrep_evaluation(std::string_view key, const Evaluation& evaluation,
                              json::storage_ptr storage = {});
int ofrep_status(const Evaluation& evaluation);

// What a client reads out of an answer to a single evaluation.
struct OfrepResult {
  std::string key;
  std::optional<json::value> value;  // nothing: the caller's default
  std::string variant;
  std::string reason;
  FlagError error = FlagError::None;
  std::string details;
  json::object metadata;
};
Result<OfrepResult> decode_ofrep_result(int status, std::string_view body);
std::string encode_ofrep_request(const json::object& context);

}  // namespace showcaller
