// SPDX-License-Identifier: Apache-2.0
// Routes of what people look back on: decisions, incidents, rehearsals, the state of policies.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "wire/api_routes.h"

namespace showcaller {
namespace {

constexpr std::size_t kDecisionsAtOnceMax = 500;

Result<std::uint64_t> record_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return fail(ErrorCode::Invalid,
              fmt::format("'{}' is not the number of a record; write a whole number", text));
}

Result<std::optional<Instant>> time_asked(const RequestContext& context, std::string_view name) {
  const std::string text = context.query(name);
  if (text.empty()) return std::nullopt;
  TRY(const Instant at, parse_instant(text));
  return at;
}

std::set<std::string> words_of_list(std::string_view list) {
  std::set<std::string> out;
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(','));
    if (!word.empty()) out.emplace(word);
    list.remove_prefix(std::min(list.size(), word.size() + 1));
  }
  return out;
}

Result<DecisionSearch> decision_search(const RequestContext& context) {
  DecisionSearch search{.text = context.query("text"),
                        .actor = context.query("actor"),
                        .subject = context.query("subject"),
                        .kinds = words_of_list(context.query("kind"))};
  TRY(search.since, time_asked(context, "since"));
  TRY(search.until, time_asked(context, "until"));
  if (const auto before = context.query("before"); !before.empty()) {
    TRY(search.before_seq, record_number(before));
  }
  if (const auto limit = context.query("limit"); !limit.empty()) {
    TRY(const std::uint64_t asked, record_number(limit));
    search.limit = std::clamp<std::uint64_t>(asked, 1, kDecisionsAtOnceMax);
  }
  return search;
}

using Review = std::function<Result<json::value>(const ReviewBackend&, const RequestContext&)>;

void add_review(Router* router, const ApiPorts& ports, Route route, Review review) {
  route.method = "GET";
  route.access = "read";
  route.slow = true;
  route.handler = [backend = ports.backend, review = std::move(review)](const auto& context,
                                                                        Answer answer) {
    answer.settle(review(backend->review(), *context));
  };
  router->add(std::move(route));
}

void add_decisions(Router* router, const ApiPorts& ports) {
  add_review(
      router, ports,
      {.pattern = "/api/v1/decisions",
       .id = "searchDecisions",
       .tag = "history",
       .summary = "Decisions of the journal, the newest first, each explained",
       .params = {{"text", "query", "In what the record says, whatever the case."},
                  {"actor", "query", "Whose: a token's name, or engine."},
                  {"kind", "query", "Kinds of records, parted by commas."},
                  {"subject", "query", "About what: event/NAME, fleet/NAME, flag/KEY, …"},
                  {"since", "query", "Not before this time."},
                  {"until", "query", "Before this time."},
                  {"before", "query", "`next` of the page before.", "integer"},
                  {"limit", "query", "At most so many; default 100, at most 500.", "integer"}},
       .answer_schema = "Decisions"},
      [](const auto& reviews, const auto& context) -> Result<json::value> {
        TRY(const auto search, decision_search(context));
        return reviews.decisions(search);
      });
  add_review(router, ports,
             {.pattern = "/api/v1/decisions/{seq}",
              .id = "getDecision",
              .tag = "history",
              .summary = "One decision with what led to it and what followed",
              .answer_schema = "Decision"},
             [](const auto& reviews, const auto& context) -> Result<json::value> {
               TRY(const auto seq, record_number(context.param("seq")));
               return reviews.decision(seq);
             });
}

void add_incidents(Router* router, const ApiPorts& ports) {
  add_review(router, ports,
             {.pattern = "/api/v1/incidents",
              .id = "listIncidents",
              .tag = "incidents",
              .summary = "Rollbacks, holds by the engine, quarantines and alerts, the newest first",
              .answer_schema = "List"},
             [](const auto& reviews, const auto&) { return reviews.incidents(); });
  add_review(router, ports,
             {.pattern = "/api/v1/incidents/{id}",
              .id = "getIncident",
              .tag = "incidents",
              .summary = "One incident: what changed before it, who was exposed, what may help",
              .answer_schema = "Incident"},
             [](const auto& reviews, const auto& context) -> Result<json::value> {
               TRY(const auto id, record_number(context.param("id")));
               return reviews.incident(id);
             });
}

void add_rehearsals(Router* router, const ApiPorts& ports) {
  add_review(router, ports,
             {.pattern = "/api/v1/rehearsals",
              .id = "listRehearsals",
              .tag = "rehearsals",
              .summary = "Reports of rehearsals that were published, in short, the newest first",
              .answer_schema = "List"},
             [](const auto& reviews, const auto&) { return reviews.rehearsals(); });
  add_review(router, ports,
             {.pattern = "/api/v1/rehearsals/{id}",
              .id = "getRehearsal",
              .tag = "rehearsals",
              .summary = "One report of a rehearsal",
              .answer_schema = "Rehearsal"},
             [](const auto& reviews, const auto& context) {
               return reviews.rehearsal(std::string(context.param("id")));
             });
  router->add({.method = "POST",
               .pattern = "/api/v1/rehearsals",
               .id = "publishRehearsal",
               .tag = "rehearsals",
               .summary = "Keep a report of a rehearsal for others to look at",
               .access = "prove",
               .body = BodyRule::Required,
               .body_schema = "RehearsalReport",
               .answer_schema = "Published",
               .answer_status = 201,
               .other_answers = {{429, "The report is too large.", ""}},
               .slow = true,
               .handler = [ports](const auto& context, Answer answer) {
                 const auto report = object_body(context->request);
                 if (!report) return answer.fail(report.error());
                 const auto kept =
                     ports.backend->review().publish_rehearsal(*report, context->actor);
                 if (!kept) return answer.fail(kept.error());
                 answer.ok(*kept, 201);
               }});
}

}  // namespace

void add_review_routes(Router* router, const ApiPorts& ports) {
  add_decisions(router, ports);
  add_incidents(router, ports);
  add_rehearsals(router, ports);
  add_review(
      router, ports,
      {.pattern = "/api/v1/policy",
       .id = "policyStanding",
       .tag = "access",
       .summary = "Who may do what, approvals waited for, what lapses, freezes ahead",
       .answer_schema = "PolicyStanding"},
      [](const auto& reviews, const auto&) -> Result<json::value> { return reviews.policy(); });
}

}  // namespace showcaller
