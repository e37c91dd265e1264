// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <map>

#include <fmt/format.h>

#include "wire/api_routes.h"
#include "wire/command_json.h"
#include "wire/manifest_sources.h"
#include "wire/problem.h"

namespace showcaller {
namespace {

const RouteAnswer kNoSuchEvent{404, "There is no such event.", ""};
const RouteAnswer kNotNow{409, "The state does not allow it now.", ""};
const RouteAnswer kKeyTaken{422, "The idempotency key belongs to another command (`key_taken`).",
                            ""};
const RouteAnswer kFindings{
    422, "The manifests have errors, which `findings` names, or the key is another command's.", ""};
const RouteAnswer kFull{429, "Too many commands wait; Retry-After says when to come back.", ""};

std::string_view outcome_of(const Result<Receipt>& result) {
  if (!result) return to_string(result.error().code);
  return result->repeated ? "repeated" : "ok";
}

double seconds_since(std::chrono::steady_clock::time_point started) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

bool has_errors(const ManifestReading& reading) {
  return !reading.ok;
}

HttpResponse findings_problem(const ManifestReading& reading, const RequestContext& context) {
  const Error error{ErrorCode::Invalid,
                    "the manifests have errors; mend what the findings name and send them again"};
  auto problem = problem_json(error, context.request.raw_path(), context.trace.trace_id);
  problem["status"] = 422;
  problem["title"] = reason_phrase(422);
  problem["findings"] = reading.findings;
  return {422, {{"Content-Type", "application/problem+json"}}, to_json_text(problem) + "\n"};
}

void apply(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  const auto files = manifest_sources(context.request.body);
  if (!files) return answer.fail(files.error());
  if (context.is_dry_run()) return answer.settle(ports.backend->plan(*files, context.actor));
  auto reading = ports.backend->read_manifests(*files);
  if (has_errors(reading)) return answer.send(findings_problem(reading, context));
  json::array applied;
  for (const auto& manifest : reading.manifests) {
    applied.push_back(json::object{
        {"kind", to_string(manifest->kind())}, {"name", manifest->name}, {"hash", manifest->hash}});
  }
  auto command =
      make_command(context, ApplyCommand{std::move(reading.manifests)}, context.query("reason"));
  submit_command(ports, context, std::move(command), std::move(answer),
                 [applied = std::move(applied), findings = std::move(reading.findings)](
                     Answer answer, const Receipt& receipt) mutable {
                   json::object told = receipt_to_json(receipt);
                   told["manifests"] = std::move(applied);
                   told["findings"] = std::move(findings);
                   answer.ok(told);
                 });
}

// A command whose fields are the body's and the path's.
RouteHandler from_body(const ApiPorts& ports, std::string verb) {
  return [ports, verb = std::move(verb)](const std::shared_ptr<const RequestContext>& context,
                                         Answer answer) {
    auto fields = object_body(context->request);
    if (!fields) return answer.fail(fields.error());
    for (const auto& [name, value] : context->params) (*fields)[name] = value;
    auto body = command_from_json(verb, *fields);
    if (!body) return answer.fail(body.error());
    auto reason = get_string(*fields, "reason", context->query("reason"));
    submit_command(ports, *context, make_command(*context, *std::move(body), std::move(reason)),
                   std::move(answer));
  };
}

// ---- batch ----

json::value error_entry(const Error& error, const RequestContext& context) {
  return json::object{
      {"error", problem_json(error, context.request.raw_path(), context.trace.trace_id)}};
}

// Settled from several threads, each command once; the last one answers the request.
struct Batch {
  Batch(const ApiPorts& ports, std::shared_ptr<const RequestContext> context, Answer answer,
        std::size_t size)
      : ports(ports),
        context(std::move(context)),
        answer(std::move(answer)),
        rows(size),
        left(size) {}

  struct Row {
    std::string_view verb;
    Result<Receipt> result;
  };
  const ApiPorts ports;
  const std::shared_ptr<const RequestContext> context;
  Answer answer;
  std::vector<Row> rows;
  std::atomic<std::size_t> left;

  void settle(std::size_t at, std::string_view verb, Result<Receipt> result) {
    rows[at] = {verb, std::move(result)};
    if (left.fetch_sub(1) == 1) finish();
  }

  void finish() {
    std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> outcomes;
    std::string body = "{\"results\":[";
    body.reserve(rows.size() * kRowBytes);
    for (const Row& row : rows) {
      ++outcomes[{row.verb, outcome_of(row.result)}];
      append_result(&body, row.result);
      body += ',';
    }
    body.back() = ']';
    body += "}\n";
    for (const auto& [labels, count] : outcomes)
      ports.metrics->counter("showcaller_commands", {labels.first, labels.second}).add(count);
    MetricHistogram& seconds = ports.metrics->histogram("showcaller_command_seconds");
    const double elapsed = seconds_since(context->started);
    for (std::size_t i = 0; i < rows.size(); ++i) seconds.observe(elapsed, context->trace.trace_id);
    answer.send(json_response(200, std::move(body)));
  }

 private:
  static constexpr std::size_t kRowBytes = 64;  // of a result without notes

  void append_result(std::string* out, const Result<Receipt>& result) const {
    if (result) return append_receipt(out, *result);
    *out += to_json_text(error_entry(result.error(), *context));
  }
};

Result<CommandBody> batch_command(const ApiPorts& ports, const json::object& fields) {
  const auto verb = get_string(fields, "do");
  if (verb != "apply") return command_from_json(verb, fields);
  const auto* manifest = get_if(fields, "manifest");
  if (manifest == nullptr)
    return fail(ErrorCode::Invalid, "'manifest' is missing; add it as JSON or as text");
  const SourceFile file{"manifest", manifest->is_string() ? std::string(manifest->as_string())
                                                          : to_json_text(*manifest)};
  auto reading = ports.backend->read_manifests(std::span(&file, 1));
  if (!has_errors(reading)) return ApplyCommand{std::move(reading.manifests)};
  return fail(ErrorCode::Invalid,
              fmt::format("the manifest has errors; mend it: {}", to_json_text(reading.findings)));
}

Result<Command> batch_entry(const ApiPorts& ports, const RequestContext& context,
                            const json::value& entry, std::size_t at) {
  if (!entry.is_object())
    return fail(ErrorCode::Invalid, "a command is an object; write {\"do\":...}");
  const auto& fields = entry.as_object();
  std::string key = get_string(fields, "key");
  TRY(check_idempotency_key(key));
  TRY(auto body, batch_command(ports, fields));
  auto command = make_command(context, std::move(body), get_string(fields, "reason"));
  // One key for the whole request would make every command after the first a repetition of it.
  command.key = std::move(key);
  if (command.key.empty() && !context.idempotency_key().empty())
    command.key = fmt::format("{}#{}", context.idempotency_key(), at);
  return command;
}

// Each on what those before it would leave.
void try_batch(const ApiPorts& ports, const RequestContext& context, const json::array& list,
               Answer answer) {
  std::vector<Result<json::value>> results(list.size());
  std::vector<Command> commands;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto command = batch_entry(ports, context, list[i], i);
    if (!command) {
      results[i] = std::unexpected(command.error());
      continue;
    }
    commands.push_back(*std::move(command));
    places.push_back(i);
  }
  auto told = ports.backend->dry_run(commands);
  for (std::size_t i = 0; i < told.size(); ++i) results[places[i]] = std::move(told[i]);
  json::array rows;
  for (auto& result : results)
    rows.push_back(result ? *std::move(result) : error_entry(result.error(), context));
  answer.ok(json::object{{"results", std::move(rows)}});
}

void run_batch(const ApiPorts& ports, const std::shared_ptr<const RequestContext>& context,
               Answer answer) {
  json::monotonic_resource arena;  // Nothing of the parsed body outlives this call.
  const auto body = object_body(context->request, &arena);
  if (!body) return answer.fail(body.error());
  const auto* commands = get_if(*body, "commands");
  if (commands == nullptr || !commands->is_array() || commands->as_array().empty()) {
    return answer.fail(
        {ErrorCode::Invalid,
         "'commands' is not a list of commands; send {\"commands\":[{\"do\":...}]}"});
  }
  const auto& list = commands->as_array();
  if (list.size() > kBatchCommandsMax) {
    return answer.fail(
        413, {ErrorCode::Limit,
              fmt::format("a batch has at most {} commands; send several", kBatchCommandsMax)});
  }
  if (context->is_dry_run()) return try_batch(ports, *context, list, std::move(answer));
  const auto batch = std::make_shared<Batch>(ports, context, std::move(answer), list.size());
  std::vector<Submission> submissions;
  submissions.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto command = batch_entry(ports, *context, list[i], i);
    if (!command) {
      batch->settle(i, "none", std::unexpected(command.error()));
      continue;
    }
    const auto verb = verb_of(command->body);
    submissions.push_back({*std::move(command), [batch, i, verb](Result<Receipt> result) {
                             batch->settle(i, verb, std::move(result));
                           }});
  }
  ports.backend->submit_all(std::move(submissions));
}

struct EventRoute {
  std::string_view verb, summary;
  std::string_view needed_body = {};  // its schema, when it cannot be left out
};

constexpr EventRoute kEventRoutes[] = {
    {"approve", "Approve the revision whose manifest has this hash", "Approval"},
    {"hold", "Stop advancing; gates, the end and rollback stay alive"},
    {"resume", "End a hold"},
    {"promote", "Go to the next stage without waiting for its bake"},
    {"step-back", "Go back to the stage before"},
    {"rollback", "Undo the change-set: close intake, drain, restore"},
    {"cancel", "Give up an event that has exposed nobody"},
    {"retire", "Go on to the removal of what the event left behind"},
    {"divert", "Send new sessions to the safe version"},
    {"undivert", "End a diversion"},
    {"pace", "Limit new sessions a minute", "Pace"},
    {"ready", "Report what came of a readiness check", "ReadinessReport"},
    {"prove", "Record that a rehearsal or a backtest has proven a gate", "GateProof"},
};

void add_event_routes(Router* router, const ApiPorts& ports) {
  for (const auto& row : kEventRoutes) {
    router->add(
        {.method = "POST",
         .pattern = fmt::format("/api/v1/events/{{event}}/{}", row.verb),
         .id = fmt::format("{}Event", row.verb == "step-back" ? "stepBack" : row.verb),
         .tag = "events",
         .summary = std::string(row.summary),
         .params = kCommandParams,
         .body = row.needed_body.empty() ? BodyRule::Optional : BodyRule::Required,
         .body_schema = row.needed_body.empty() ? "EventCommand" : std::string(row.needed_body),
         .answer_schema = "CommandAnswer",
         .other_answers = {kNoSuchEvent, kNotNow, kKeyTaken, kFull},
         .handler = from_body(ports, std::string(row.verb))});
  }
}

void add_manifest_routes(Router* router, const ApiPorts& ports) {
  const auto text_route = [](std::string pattern, std::string id, std::string summary,
                             std::string schema, RouteHandler handler) {
    return Route{.method = "POST",
                 .pattern = std::move(pattern),
                 .id = std::move(id),
                 .tag = "manifests",
                 .summary = std::move(summary),
                 .body = BodyRule::Required,
                 .body_bytes_max = kLargeBodyBytesMax,
                 .body_schema = "ManifestText",
                 .answer_schema = std::move(schema),
                 .slow = true,
                 .handler = std::move(handler)};
  };
  auto apply_route = text_route(
      "/api/v1/manifests", "applyManifests", "Apply manifests: all of them or none", "Applied",
      [ports](const auto& context, Answer answer) { apply(ports, *context, std::move(answer)); });
  apply_route.other_answers = {kNotNow, kFindings, kFull};
  apply_route.params = {
      kIdempotencyKey,
      {"dry_run", "query", "Only say what would happen, as /api/v1/plan does.", "boolean"},
      kReasonInQuery};
  router->add(std::move(apply_route));
  auto plan = text_route("/api/v1/plan", "planManifests",
                         "What applying these manifests would change, disturb and need", "Plan",
                         [ports](const auto& context, Answer answer) {
                           const auto files = manifest_sources(context->request.body);
                           if (!files) return answer.fail(files.error());
                           answer.settle(ports.backend->plan(*files, context->actor));
                         });
  router->add(std::move(plan));
  router->add(text_route("/api/v1/validate", "validateManifests",
                         "All findings of these manifests against the server", "Findings",
                         [ports](const auto& context, Answer answer) {
                           const auto files = manifest_sources(context->request.body);
                           if (!files) return answer.fail(files.error());
                           answer.ok(ports.backend->validate(*files));
                         }));
  router->add({.method = "DELETE",
               .pattern = "/api/v1/manifests/{kind}/{name}",
               .id = "removeManifest",
               .tag = "manifests",
               .summary = "Remove a manifest that nothing refers to",
               .params = {kIdempotencyKey, kDryRun, kReasonInQuery},
               .answer_schema = "CommandAnswer",
               .other_answers = {kNotNow, kKeyTaken, kFull},
               .handler = from_body(ports, "remove")});
}

}  // namespace

void count_command(const ApiPorts& ports, std::string_view verb, const Result<Receipt>& result,
                   std::chrono::steady_clock::time_point started, std::string_view trace_id) {
  ports.metrics->counter("showcaller_commands", {verb, outcome_of(result)}).add();
  ports.metrics->histogram("showcaller_command_seconds").observe(seconds_since(started), trace_id);
}

Command make_command(const RequestContext& context, CommandBody body, std::string reason) {
  return {.body = std::move(body),
          .actor = context.actor,
          .key = std::string(context.idempotency_key()),
          .trace = context.trace.trace_id,
          .reason = std::move(reason),
          .traceparent = context.trace.parent_id.empty() ? "" : context.trace.traceparent(),
          .tracestate = context.trace.state};
}

void submit_command(const ApiPorts& ports, const RequestContext& context, Command command,
                    Answer answer) {
  submit_command(ports, context, std::move(command), std::move(answer),
                 [](Answer answer, const Receipt& receipt) {
                   std::string body;
                   append_receipt(&body, receipt);
                   body += '\n';
                   answer.send(json_response(200, std::move(body)));
                 });
}

void submit_command(const ApiPorts& ports, const RequestContext& context, Command command,
                    Answer answer, ReceiptAnswer good) {
  if (context.is_dry_run())
    return answer.settle(ports.backend->dry_run(std::span(&command, 1)).front());
  const auto verb = verb_of(command.body);
  auto reply = [ports, verb, started = std::chrono::steady_clock::now(), trace = command.trace,
                good = std::move(good),
                answer = std::move(answer)](Result<Receipt> result) mutable {
    count_command(ports, verb, result, started, trace);
    if (!result) return answer.fail(result.error());
    good(std::move(answer), *result);
  };
  ports.backend->submit(std::move(command), std::move(reply));
}

Result<json::object> object_body(const HttpRequest& request, json::storage_ptr storage) {
  if (request.body.empty()) return json::object();
  TRY(auto value, parse_json(request.body, {}, std::move(storage)));
  if (!value.is_object())
    return fail(ErrorCode::Invalid, "the body is not a JSON object; send one in braces");
  return std::move(value.as_object());
}

void add_command_route(Router* router, const ApiPorts& ports, Route route, std::string verb) {
  route.method = "POST";
  route.params = kCommandParams;
  route.answer_schema = "CommandAnswer";
  route.other_answers = {kNotNow, kKeyTaken, kFull};
  route.handler = from_body(ports, std::move(verb));
  router->add(std::move(route));
}

void add_command_routes(Router* router, const ApiPorts& ports) {
  add_manifest_routes(router, ports);
  add_event_routes(router, ports);
  const auto command_route = [&](std::string pattern, std::string id, std::string tag,
                                 std::string summary, std::string schema, std::string verb,
                                 BodyRule rule) {
    add_command_route(router, ports,
                      {.pattern = std::move(pattern),
                       .id = std::move(id),
                       .tag = std::move(tag),
                       .summary = std::move(summary),
                       .body = rule,
                       .body_schema = std::move(schema)},
                      std::move(verb));
  };
  command_route("/api/v1/line/stop", "stopLine", "line", "Hold everything in a scope", "Line",
                "stop-line", BodyRule::Optional);
  command_route("/api/v1/line/resume", "resumeLine", "line", "Let a stopped scope go on", "Line",
                "resume-line", BodyRule::Optional);
  command_route("/api/v1/quarantines", "quarantine", "compute",
                "Isolate an instance, build, host or region", "Quarantine", "quarantine",
                BodyRule::Required);
  command_route("/api/v1/quarantines/release", "releaseQuarantine", "compute", "End a quarantine",
                "Quarantine", "release", BodyRule::Required);
  command_route("/api/v1/drills/{drill}/run", "runDrill", "compute",
                "Play a Drill on the staging fleet that it names", "DrillCommand", "drill",
                BodyRule::Optional);
  command_route("/api/v1/drills/{drill}/stop", "stopDrill", "compute",
                "End a drill that goes on, and its pauses", "DrillCommand", "stop-drill",
                BodyRule::Optional);
  command_route("/api/v1/flags/{flag}/kill", "killFlag", "flags",
                "Its off variant for everybody at once, whatever else is said of it", "FlagCommand",
                "kill-flag", BodyRule::Optional);
  command_route("/api/v1/flags/{flag}/reopen", "reopenFlag", "flags",
                "End a kill: the flag is as its manifest and its events say", "FlagCommand",
                "reopen-flag", BodyRule::Optional);
  command_route("/api/v1/services/{service}/features/{feature}/withdraw", "withdrawFeature",
                "services", "Everybody gets a feature's fallback, until somebody gives it back",
                "FeatureCommand", "withdraw-feature", BodyRule::Optional);
  command_route("/api/v1/services/{service}/features/{feature}/restore", "restoreFeature",
                "services", "Give back a feature that the engine or somebody has withdrawn",
                "FeatureCommand", "restore-feature", BodyRule::Optional);
  command_route("/api/v1/configs/{config}/undo", "undoConfig", "manifests",
                "Go back to a version of a configuration document", "ConfigUndo", "undo-config",
                BodyRule::Required);
  router->add({.method = "POST",
               .pattern = "/api/v1/batch",
               .id = "runBatch",
               .tag = "commands",
               .summary = "Many commands in one request, each with its own result, in their order",
               .params = kCommandParams,
               .body = BodyRule::Required,
               .body_bytes_max = kLargeBodyBytesMax,
               .body_schema = "Batch",
               .answer_schema = "BatchResults",
               .slow = true,
               .handler = [ports](const auto& context, Answer answer) {
                 run_batch(ports, context, std::move(answer));
               }});
}

}  // namespace showcaller
