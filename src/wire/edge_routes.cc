// SPDX-License-Identifier: Apache-2.0
#include "wire/edge_routes.h"

#include <set>

#include "codec/ofrep.h"
#include "wire/flag_updates.h"
#include "wire/flagd/ofrep_server.h"
#include "wire/ofrep.h"

namespace showcaller {
namespace {

const RouteAnswer kNotChanged{304, "Not changed since the ETag of If-None-Match.", ""};
const RouteAnswer kBadContext{400, "The context is not one.", "OfrepError"};
const RouteAnswer kPushBack{429, "Send less, later; Retry-After says when.", ""};
const RouteParam kSelector{"Flagd-Selector", "header",
                           "Of these flags alone: flagSetId=NAME, or source=NAME."};
const RouteParam kLastEventId{"Last-Event-ID", "header", "Of the last event that the reader has."};

json::object receipt_json(const TelemetryReceipt& receipt, const std::set<std::string>& ignored) {
  json::object out{{"accepted", receipt.taken}};
  if (receipt.repeated) out["repeated"] = true;
  if (!receipt.dropped.empty()) out["dropped"] = json::value_from(receipt.dropped);
  if (!ignored.empty()) out["ignored_fields"] = json::value_from(ignored);
  out["report_every_ms"] = receipt.report_every_ms;
  return out;
}

void report(const EdgePorts& ports, const RequestContext& context, Answer answer) {
  const auto count_batch = [&](std::string_view outcome) {
    ports.metrics->counter("showcaller_telemetry_batches", {outcome}).add();
  };
  std::set<std::string> ignored;
  auto batch = decode_telemetry(context.request.body, {}, &ignored);
  if (!batch) {
    // Too large is no matter of when: only 429 may be tried again.
    const bool large = batch.error().code == ErrorCode::Limit;
    count_batch(to_string(ErrorCode::Invalid));
    return answer.fail(large ? 413 : 400, {ErrorCode::Invalid, batch.error().message});
  }
  const auto receipt = ports.backend->report(*std::move(batch), context.actor);
  if (!receipt) {
    count_batch(to_string(receipt.error().code));
    return answer.fail(receipt.error());
  }
  count_batch(receipt->repeated ? "repeated" : "ok");
  const auto count_deltas = [&](std::string_view outcome, std::int64_t deltas) {
    if (deltas > 0)
      ports.metrics->counter("showcaller_telemetry_deltas", {outcome}).add(std::uint64_t(deltas));
  };
  count_deltas("taken", receipt->taken);
  for (const auto& [why, deltas] : receipt->dropped) count_deltas(why, deltas);
  answer.ok(receipt_json(*receipt, ignored), 202);
}

void add_telemetry_route(Router* router, const EdgePorts& ports) {
  router->add(
      {.method = "POST",
       .pattern = "/api/v1/telemetry",
       .id = "report",
       .tag = "sessions",
       .summary =
           "A batch of deltas from an SDK or game server; counted once by source and sequence",
       .access = "report",
       .body = BodyRule::Required,
       .body_bytes_max = kLargeBodyBytesMax,
       .body_schema = "TelemetryBatch",
       .answer_schema = "TelemetryReceipt",
       .answer_status = 202,
       .other_answers = {kPushBack},
       .handler = [ports](const auto& context, Answer answer) {
         report(ports, *context, std::move(answer));
       }});
}

// Before the answer: whom it exposes is noted before he can know.
void tell_of_evaluation(const HttpRequest& request, EdgeBackend* backend) {
  constexpr std::string_view kEvaluate = "/ofrep/v1/evaluate/flags";
  if (request.method != "POST" || !request.path.starts_with(kEvaluate)) return;
  std::string_view flag = std::string_view(request.path).substr(kEvaluate.size());
  if (flag.starts_with('/')) flag.remove_prefix(1);
  if (const auto who = decode_ofrep_context(request.body)) backend->evaluated(*who, flag);
}

// What the caller may see, of what he selects.
Result<SharedFlags> flags_for(const EdgePorts& ports, const RequestContext& context) {
  const auto view = ports.backend->flags(context.actor);
  const std::string_view selector = flag_selector_of(context.request);
  if (selector.empty() || ports.selections == nullptr) return view.flags;
  return ports.selections->select(view.flags, selector);
}

void stream_flag_changes(const EdgePorts& ports, const RequestContext& context, Answer answer) {
  if (ports.flag_streams == nullptr)
    return answer.fail({ErrorCode::NotFound, "changes of flags are not told here; ask again"});
  const HttpHeaders& headers = context.request.headers;
  const auto flags = flags_for(ports, context);
  if (!flags) return answer.send(ofrep_refusal(flags.error()));
  std::string last_seen(headers.get("Last-Event-ID", (*flags)->fingerprint()));
  tell_of_changes(answer.stream(event_stream_head()), ports.flag_feed, ports.flag_streams,
                  std::string(token_of(headers)), std::string(flag_selector_of(context.request)),
                  std::move(last_seen));
}

void answer_ofrep_request(const EdgePorts& ports, const RequestContext& context, Answer answer) {
  const HttpRequest& request = context.request;
  const auto flags = flags_for(ports, context);
  if (!flags) return answer.send(ofrep_refusal(flags.error()));
  tell_of_evaluation(request, ports.backend);
  OfrepOptions options;
  if (ports.flag_streams != nullptr) options.stream = event_stream_for(request);
  std::vector<std::uint32_t> answers;
  HttpResponse response = handle_ofrep(request, **flags, ports.backend->now(), options, &answers);
  ports.backend->answered(**flags, answers);
  answer.send(std::move(response));
}

// To whom a stream goes, and from where.
FlagReader reader_of(const HttpRequest& request) {
  return {std::string(token_of(request.headers)),
          std::string(request.headers.get("Last-Event-ID"))};
}

void stream_rules(const EdgePorts& ports, const RequestContext& context, Answer answer) {
  if (ports.backend->flags(context.actor).client_visible_only) {
    return answer.fail({ErrorCode::Forbidden,
                        "rules are not for clients; POST your context to the same path instead"});
  }
  FlagReader reader = reader_of(context.request);
  ports.flag_updates->tell_rules(answer.stream(event_stream_head()), std::move(reader));
}

void stream_values(const EdgePorts& ports, const RequestContext& context, Answer answer) {
  auto who = decode_ofrep_context(context.request.body);
  if (!who) return answer.fail(who.error());
  FlagReader reader = reader_of(context.request);
  ports.flag_updates->tell_values(answer.stream(event_stream_head()), std::move(reader),
                                  *std::move(who));
}

void add_stream_routes(Router* router, const EdgePorts& ports) {
  using Stream = void (*)(const EdgePorts&, const RequestContext&, Answer);
  const auto add = [&](std::string method, std::string id, std::string summary, Stream stream) {
    const bool with_body = method == "POST";
    router->add({.method = std::move(method),
                 .pattern = std::string(kFlagStreamPath),
                 .id = std::move(id),
                 .tag = "flags",
                 .summary = std::move(summary),
                 .access = "flags",
                 .params = {kLastEventId},
                 .body = with_body ? BodyRule::Optional : BodyRule::None,
                 .body_schema = with_body ? "OfrepContext" : "",
                 .answer_type = "text/event-stream",
                 .handler = [ports, stream](const auto& context, Answer answer) {
                   if (ports.flag_updates == nullptr) {
                     return answer.fail(
                         {ErrorCode::NotFound, "changes of flags are not told here; ask again"});
                   }
                   stream(ports, *context, std::move(answer));
                 }});
  };
  add("GET", "flagStream", "Every flag with its rules, then what changes of them; for servers",
      stream_rules);
  add("POST", "flagValueStream",
      "Every flag as it is decided for this context, then what changes of that", stream_values);
}

void add_flag_routes(Router* router, const EdgePorts& ports) {
  router->add({.method = "GET",
               .pattern = "/api/v1/flags/snapshot",
               .id = "flagSnapshot",
               .tag = "flags",
               .summary = "Every flag with its rules, in flagd's format; ETag and If-None-Match",
               .access = "flags",
               .answer_schema = "FlagSnapshot",
               .other_answers = {kNotChanged},
               .handler = [backend = ports.backend](const auto& context, Answer answer) {
                 const auto view = backend->flags(context->actor);
                 if (view.client_visible_only) {
                   return answer.fail({ErrorCode::Forbidden,
                                       "rules are not for clients; evaluate by /ofrep/v1 instead"});
                 }
                 answer.send(handle_flag_snapshot(context->request, *view.flags));
               }});
  const auto ofrep = [ports](const auto& context, Answer answer) {
    answer_ofrep_request(ports, *context, std::move(answer));
  };
  router->add({.method = "GET",
               .pattern = std::string(kFlagEventsPath),
               .id = "ofrepEvents",
               .tag = "flags",
               .summary = "A server-sent event whenever the caller's flags have changed",
               .access = "flags",
               .params = {kSelector, kLastEventId},
               .answer_type = "text/event-stream",
               .handler = [ports](const auto& context, Answer answer) {
                 stream_flag_changes(ports, *context, std::move(answer));
               }});
  const auto add = [&](std::string method, std::string pattern, std::string id, std::string summary,
                       std::string schema, std::vector<RouteAnswer> others) {
    const bool with_body = method == "POST";
    router->add({.method = std::move(method),
                 .pattern = std::move(pattern),
                 .id = std::move(id),
                 .tag = "flags",
                 .summary = std::move(summary),
                 .access = "flags",
                 .params = {kSelector},
                 .body = with_body ? BodyRule::Optional : BodyRule::None,
                 .body_schema = with_body ? "OfrepContext" : "",
                 .answer_schema = std::move(schema),
                 .other_answers = std::move(others),
                 .handler = ofrep});
  };
  add("POST", "/ofrep/v1/evaluate/flags/{key...}", "ofrepEvaluate",
      "Evaluate one flag (OpenFeature Remote Evaluation)", "OfrepEvaluation",
      {kBadContext, {404, "There is no such flag.", "OfrepError"}});
  add("POST", "/ofrep/v1/evaluate/flags", "ofrepEvaluateAll",
      "Evaluate all flags; ETag and If-None-Match", "OfrepBulk", {kBadContext, kNotChanged});
  add("GET", "/ofrep/v1/configuration", "ofrepConfiguration", "What an OFREP provider may ask for",
      "OfrepConfiguration", {kNotChanged});
}

}  // namespace

void add_edge_routes(Router* router, const EdgePorts& ports) {
  add_telemetry_route(router, ports);
  add_stream_routes(router, ports);
  add_flag_routes(router, ports);
}

}  // namespace showcaller
