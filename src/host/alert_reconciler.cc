// SPDX-License-Identifier: Apache-2.0
#include "host/alert_reconciler.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/alert_plan.h"
#include "engine/alert_view.h"

namespace showcaller {
namespace {

constexpr Duration kFirstWait = seconds(1), kLongestWait = minutes(1), kTellAgain = minutes(1);

Duration wait_after(std::int64_t attempts) {
  return std::min(kLongestWait,
                  kFirstWait * (std::int64_t{1} << std::min<std::int64_t>(attempts - 1, 10)));
}

AlertMessage message_of(const World& world, const std::string& id, const Alert& alert,
                        const std::string& team, const AlertRoute& route, Instant now) {
  json::object view = alert_view(world, id, alert, now);
  view.erase("deliveries");
  view["change"] = alert.change;
  view["owning_team"] = alert.called.front();
  const auto manifest = world.manifest(Kind::Team, team);
  json::object contacts;
  for (const auto& [name, how] : manifest->as<TeamSpec>().contacts) contacts[name] = how;
  if (!contacts.empty()) view["contacts"] = std::move(contacts);
  return {route, std::move(view)};
}

}  // namespace

void AlertReconciler::pass() {
  const auto world = host_->published();
  const Instant now = host_->now();
  const auto visit = [&](const std::string& id, const Alert& alert) {
    tell(*world, id, alert, now);
  };
  world->alerts.each(visit);
  world->past_alerts.each([&](const std::string& id, const Alert& alert) {
    const bool waits = std::ranges::any_of(alert.deliveries, [&](const auto& delivery) {
      return delivery.second.change < alert.change;
    });
    if (waits) visit(id, alert);
  });
  std::lock_guard lock(shared_->mutex);
  std::erase_if(shared_->standings, [&](const auto& standing) {
    const std::string id = standing.first.substr(0, standing.first.find(' '));
    return !standing.second.in_flight && !world->alert(id);
  });
}

void AlertReconciler::tell(const World& world, const std::string& id, const Alert& alert,
                           Instant now) {
  for (const std::string& team : alert.called) {
    const auto manifest = world.manifest(Kind::Team, team);
    if (!manifest) continue;
    for (const AlertRoute& route : manifest->as<TeamSpec>().routes) {
      if (alert.severity <= route.least) tell_route(world, id, alert, team, route, now);
    }
  }
}

void AlertReconciler::tell_route(const World& world, const std::string& id, const Alert& alert,
                                 const std::string& team, const AlertRoute& route, Instant now) {
  const std::string name = fmt::format("{}/{}", team, route.name);
  const auto known = alert.deliveries.find(name);
  const bool is_told = known != alert.deliveries.end() && known->second.change >= alert.change;
  const bool repeats = is_told && alert.is_open() && route.type == RouteType::Alertmanager &&
                       known->second.outcome == DeliveryOutcome::Delivered;
  if (is_told && !repeats) return;
  if (!alert.is_open() && known == alert.deliveries.end()) return;
  if (alert.is_open() && silence_of(world, alert, now)) return;
  std::int64_t attempts = 0;
  {
    std::lock_guard lock(shared_->mutex);
    Standing& standing = shared_->standings[id + " " + name];
    if (standing.in_flight || shared_->in_flight >= kAlertsInFlightMax) return;
    if (standing.change != alert.change) standing = {.change = alert.change};
    if (now < standing.next || (repeats && now - standing.told < kTellAgain)) return;
    standing.in_flight = true;
    attempts = ++standing.attempts;
    ++shared_->in_flight;
  }
  DeliveryReported report{id, name, alert.change, DeliveryOutcome::Delivered, attempts, {}};
  sender_->send(
      message_of(world, id, alert, team, route, now),
      [host = host_, shared = shared_, report, repeats](AlertSent sent, std::string detail) {
        settle(host, shared, report, repeats, sent, std::move(detail));
      });
}

// What is over becomes a record, and until that is durable nothing is sent again. A full mailbox
// loses it: it is sent again, and known by its id and change.
void AlertReconciler::settle(EngineHost* host, const std::shared_ptr<Shared>& shared,
                             DeliveryReported report, bool repeats, AlertSent sent,
                             std::string detail) {
  const std::string key = report.alert + " " + report.route;
  const auto land = [shared, key] {
    std::lock_guard lock(shared->mutex);
    --shared->in_flight;
    shared->standings[key].in_flight = false;
  };
  bool is_over = sent == AlertSent::Delivered;
  {
    std::lock_guard lock(shared->mutex);
    Standing& standing = shared->standings[key];
    if (is_over) {
      ++shared->totals.delivered;
      standing.told = host->now();
      standing.attempts = 0;
    } else {
      ++shared->totals.failed;
      standing.next = host->now() + wait_after(report.attempts);
      is_over = sent == AlertSent::Refused || report.attempts >= kAlertAttemptsMax;
      shared->totals.dead += is_over && !repeats ? 1 : 0;
    }
  }
  if (!is_over || repeats) return land();
  report.outcome =
      sent == AlertSent::Delivered ? DeliveryOutcome::Delivered : DeliveryOutcome::Dead;
  report.detail = std::move(detail);
  const Status told = host->submit(std::move(report), [land](const Result<Receipt>&) { land(); });
  if (!told) land();
}

AlertTotals AlertReconciler::totals() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->totals;
}

Status AlertReconciler::test(const std::string& team, const std::string& name,
                             AlertSender::Outcome done) {
  const auto world = host_->published();
  const auto manifest = world->manifest(Kind::Team, team);
  if (!manifest)
    return fail(ErrorCode::NotFound,
                fmt::format("there is no Team '{}'; `showcaller get teams` lists them", team));
  const auto& routes = manifest->as<TeamSpec>().routes;
  const auto route = std::ranges::find(routes, name, &AlertRoute::name);
  if (route == routes.end()) {
    return fail(
        ErrorCode::NotFound,
        fmt::format("team '{}' has no route '{}'; its manifest says which it has", team, name));
  }
  const Instant now = host_->now();
  Alert test;
  test.members = {{"Team/" + team, AlertCause::Held, "test", false}};
  test.root = test.own().subject;
  test.severity = AlertSeverity::Ticket;
  test.team = team;
  test.called = {team};
  test.text = "this is a test of the route " + name + ": nothing is wrong";
  test.opened = now;
  test.resolved = now;  // Whoever gets it has nothing to do.
  test.resolved_reason = "it was a test";
  sender_->send(message_of(*world, fmt::format("test-{}", to_ms(now)), test, team, *route, now),
                std::move(done));
  return {};
}

}  // namespace showcaller
