// SPDX-License-Identifier: Apache-2.0
// What the server answers about alerts.
#include <fmt/format.h>

#include "cli/serve/host_backend.h"
#include "engine/alert_view.h"

namespace showcaller {
namespace {

json::object objective_view(const ObjectiveStanding& standing) {
  json::array rules;
  for (std::size_t i = 0; i < standing.slo.burn.size(); ++i) {
    const BurnRule& rule = standing.slo.burn[i];
    const BurnReading::Rule& seen = standing.reading.rules[i];
    rules.push_back(json::object{{"over", format_duration(rule.over)},
                                 {"still", format_duration(rule.still)},
                                 {"factor", rule.factor},
                                 {"then", std::string(enum_name(rule.severity))},
                                 {"proven", seen.proven},
                                 {"now", seen.still},
                                 {"n", seen.n},
                                 {"bad", seen.bad}});
  }
  const BurnProof& proof = standing.reading.proof;
  json::object shown{{"above", standing.slo.page_above},
                     {"evidence", proof.evidence},
                     {"needed", standing.reading.needed},
                     {"calm", proof.calm},
                     {"n", proof.n},
                     {"bad", proof.bad}};
  if (proof.n > 0) shown["since"] = format_instant(proof.since);
  return {{"service", standing.service},
          {"slo", standing.slo.name},
          {"event", standing.event},
          {"metric", standing.slo.metric},
          {"objective", standing.slo.objective},
          {"window", format_duration(standing.slo.window)},
          {"n", standing.window.n},
          {"bad", standing.window.bad},
          {"budget_left",
           double(budget_left_ppm(standing.window, standing.slo.objective)) / double(kPpmWhole)},
          {"burn", std::move(rules)},
          {"proof", std::move(shown)},
          {"players_at_risk", standing.reading.players_at_risk}};
}

}  // namespace

json::value HostBackend::alerts(std::string_view state) const {
  return alerts_view(*host_.world(), state, host_.engine().now());
}

Result<json::value> HostBackend::alert(std::string_view id) const {
  const auto world = host_.world();
  const Alert* alert = world->alert(id);
  if (!alert) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no alert '{}'; `showcaller alert list` shows those that are "
                            "open, and the last thousand resolved",
                            id));
  }
  return alert_view(*world, std::string(id), *alert, host_.engine().now());
}

json::value HostBackend::silences() const {
  return silences_view(*host_.world());
}

json::value HostBackend::dead_letters() const {
  return dead_letters_view(*host_.world());
}

json::value HostBackend::objectives() const {
  json::array out;
  for (const ObjectiveStanding& standing : host_.objectives())
    out.push_back(objective_view(standing));
  return out;
}

void HostBackend::test_route(std::string_view team, std::string_view route, RouteTested done) {
  AlertReconciler* alerts = host_.alerts();
  if (!alerts) return done(fail(ErrorCode::Unavailable, "this server tells nobody of alerts"));
  const auto shared = std::make_shared<RouteTested>(std::move(done));
  const Status sent = alerts->test(
      std::string(team), std::string(route), [shared](AlertSent outcome, std::string detail) {
        (*shared)(json::object{{"delivered", outcome == AlertSent::Delivered},
                               {"detail", std::move(detail)}});
      });
  if (!sent) (*shared)(std::unexpected(sent.error()));
}

}  // namespace showcaller
