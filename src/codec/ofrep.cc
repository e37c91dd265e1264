// SPDX-License-Identifier: Apache-2.0
#include "codec/ofrep.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"

namespace showcaller {
namespace {

constexpr std::string_view kFlagsPath = "/ofrep/v1/evaluate/flags";
constexpr std::string_view kConfigurationPath = "/ofrep/v1/configuration";
constexpr JsonLimits kBodyLimits{.bytes_max = 1u << 20, .depth_max = 32};

std::string details_of(std::string_view key, const Evaluation& evaluation) {
  return fmt::format("flag '{}': {}", key, evaluation.message);
}

OfrepReply refused(int status, FlagError error, std::optional<std::string_view> key,
                   std::string_view details) {
  json::object body;
  if (key) body["key"] = *key;
  body["errorCode"] = to_string(error);
  body["errorDetails"] = details;
  return {.status = status, .body = to_json_text(body)};
}

OfrepReply wrong_method(std::string_view allow) {
  return {.status = 405,
          .allow = std::string(allow),
          .body = R"({"errorDetails":"this method does not exist here"})"};
}

bool matches_etag(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    std::string_view one = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
    while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == etag) return true;
  }
  return false;
}

OfrepReply with_etag(std::string body, std::string_view if_none_match) {
  OfrepReply reply{.status = 200, .etag = fmt::format("\"{:016x}\"", hash64(body))};
  if (matches_etag(if_none_match, reply.etag)) {
    reply.status = 304;
  } else {
    reply.body = std::move(body);
  }
  return reply;
}

// What one flag's request and answer need, without the heap.
class RequestMemory {
 public:
  json::storage_ptr storage() { return &resource_; }

 private:
  std::array<unsigned char, 4096> buffer_;
  json::monotonic_resource resource_{buffer_.data(), buffer_.size()};
};

OfrepReply evaluate_one(const OfrepRequest& request, std::string_view key, const FlagSet& flags,
                        Instant now, const OfrepOptions& options) {
  if (key.empty()) {
    return refused(404, FlagError::FlagNotFound, key,
                   fmt::format("the flag's key is missing; POST {} evaluates all", kFlagsPath));
  }
  RequestMemory memory;
  const auto context = decode_ofrep_context(request.body, memory.storage());
  if (!context) return refused(400, FlagError::InvalidContext, key, context.error().message);
  const EvaluationContext asked(*context);
  const auto who = EvaluationContext::layered(options.added, &asked);
  const Evaluation& evaluation = flags.evaluate(key, who, now);
  OfrepReply reply{.status = ofrep_status(evaluation),
                   .body = to_json_text(ofrep_evaluation(key, evaluation, memory.storage()))};
  if (evaluation.answer != 0) reply.answers.push_back(evaluation.answer);
  return reply;
}

json::array event_streams(const OfrepEventStream& stream) {
  json::object endpoint{{"requestUri", stream.target}};
  if (!stream.origin.empty()) endpoint["origin"] = stream.origin;
  return {json::object{{"type", "sse"},
                       {"endpoint", std::move(endpoint)},
                       {"inactivityDelaySec", stream.inactivity_s}}};
}

OfrepReply evaluate_all(const OfrepRequest& request, const FlagSet& flags, Instant now,
                        const OfrepOptions& options) {
  const auto context = decode_ofrep_context(request.body);
  if (!context)
    return refused(400, FlagError::InvalidContext, std::nullopt, context.error().message);
  const EvaluationContext asked(*context);
  const auto who = EvaluationContext::layered(options.added, &asked);
  json::array all;
  all.reserve(flags.size());
  std::vector<std::uint32_t> answers;
  answers.reserve(flags.size());
  flags.evaluate_all(who, now, [&](std::string_view key, const Evaluation& evaluation) {
    all.push_back(ofrep_evaluation(key, evaluation));
    answers.push_back(evaluation.answer);
  });
  json::object body{{"flags", std::move(all)}, {"metadata", flags.metadata()}};
  if (options.stream) body["eventStreams"] = event_streams(*options.stream);
  OfrepReply reply = with_etag(to_json_text(body), request.if_none_match);
  reply.answers = std::move(answers);
  return reply;
}

OfrepReply configuration(const OfrepRequest& request, const OfrepOptions& options) {
  const json::object body{
      {"name", "showcaller"},
      {"capabilities",
       {{"cacheInvalidation",
         {{"polling", {{"enabled", true}, {"minPollingIntervalMs", options.polling_ms_min}}}}},
        {"flagEvaluation",
         {{"supportedTypes", json::array{"int", "float", "string", "boolean", "object"}}}},
        {"caching", {{"enabled", false}}}}}};
  return with_etag(to_json_text(body), request.if_none_match);
}

}  // namespace

OfrepReply answer_ofrep(const OfrepRequest& request, const FlagSet& flags, Instant now,
                        const OfrepOptions& options) {
  std::string_view path = request.path;
  if (path == kConfigurationPath) {
    return request.method == "GET" ? configuration(request, options) : wrong_method("GET");
  }
  if (path.starts_with(kFlagsPath)) {
    path.remove_prefix(kFlagsPath.size());
    const bool is_bulk = path.empty();
    if (is_bulk || path.front() == '/') {
      if (request.method != "POST") return wrong_method("POST");
      return is_bulk ? evaluate_all(request, flags, now, options)
                     : evaluate_one(request, path.substr(1), flags, now, options);
    }
  }
  return {.status = 404, .body = R"({"errorDetails":"there is no such endpoint"})"};
}

std::string ofrep_refetch_event(std::string_view fingerprint) {
  return to_json_text(json::object{{"type", "refetchEvaluation"}, {"etag", fingerprint}});
}

Result<json::object> decode_ofrep_context(std::string_view body, json::storage_ptr storage) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return json::object();
  TRY(auto parsed, parse_json(body, kBodyLimits, std::move(storage)));
  if (!parsed.is_object()) {
    return fail(ErrorCode::Invalid, "the request is not an object; send {\"context\":{…}}");
  }
  auto* context = parsed.get_object().if_contains("context");
  if (context == nullptr || context->is_null()) return json::object();
  if (!context->is_object())
    return fail(ErrorCode::Invalid, "`context` is not an object of attributes");
  return std::move(context->get_object());
}

json::object ofrep_evaluation(std::string_view key, const Evaluation& evaluation,
                              json::storage_ptr storage) {
  json::object out(std::move(storage));
  out["key"] = key;
  if (evaluation.error != FlagError::None) {
    out["errorCode"] = to_string(evaluation.error);
    out["errorDetails"] = details_of(key, evaluation);
  } else {
    out["reason"] = to_string(evaluation.reason);
    if (evaluation.value != nullptr) {
      out["value"] = *evaluation.value;
      out["variant"] = evaluation.variant;
    }
  }
  json::object& metadata = out["metadata"].emplace_object();
  if (evaluation.metadata != nullptr) metadata = *evaluation.metadata;
  return out;
}

int ofrep_status(const Evaluation& evaluation) {
  switch (evaluation.error) {
    case FlagError::None:
      return 200;
    case FlagError::FlagNotFound:
      return 404;
    case FlagError::ProviderNotReady:
      return 500;
    default:
      return 400;
  }
}

Result<OfrepResult> decode_ofrep_result(int status, std::string_view body) {
  TRY(auto parsed, parse_json(body, kBodyLimits));
  auto* object = parsed.if_object();
  if (object == nullptr) return fail(ErrorCode::Invalid, "the answer is not an object");
  OfrepResult out{.key = get_string(*object, "key"),
                  .value = std::nullopt,
                  .variant = get_string(*object, "variant"),
                  .reason = get_string(*object, "reason"),
                  .details = get_string(*object, "errorDetails")};
  if (const auto* metadata = get_if(*object, "metadata");
      metadata != nullptr && metadata->is_object()) {
    out.metadata = metadata->get_object();
  }
  if (const auto* code = get_if(*object, "errorCode"); code != nullptr || status != 200) {
    const std::string text = get_string(*object, "errorCode");
    out.error = parse_flag_error(text).value_or(FlagError::General);
    out.reason = to_string(FlagReason::Error);
    return out;
  }
  if (const auto* value = get_if(*object, "value"); value != nullptr && !value->is_null())
    out.value = *value;
  return out;
}

std::string encode_ofrep_request(const json::object& context) {
  return to_json_text(json::object{{"context", context}});
}

}  // namespace showcaller
