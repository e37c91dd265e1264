// SPDX-License-Identifier: Apache-2.0
// What is said of alerts: a Service's objectives, a Team's rota and routes.
#include <algorithm>

#include "model/manifest/shape.h"
#include "model/manifest/shapes.h"
#include "model/manifest/zone.h"

namespace showcaller::manifest {
namespace {

Value<AlertSeverity> severity() {
  return choice<AlertSeverity>({{"page", AlertSeverity::Page}, {"ticket", AlertSeverity::Ticket}});
}

const Shape<BurnRule>& burn_rule_shape() {
  static const Shape<BurnRule> shape(
      "BurnRule", "How fast the error budget may burn before somebody is told.",
      {field("over", &BurnRule::over, positive_duration(), "The evidence that is looked at.")
           .needed(),
       field("still", &BurnRule::still, positive_duration(),
             "And it still burns over this shorter time: an alert ends soon after its cause.")
           .needed(),
       field("factor", &BurnRule::factor, number(0.01, 1e6),
             "Times as fast as the budget lasts its window.")
           .needed(),
       field("then", &BurnRule::severity, severity(),
             "page calls somebody at once; ticket can wait for the day.")
           .assumed("page")},
      [](Reader& reader, const Node& node, BurnRule* rule) {
        if (rule->still <= rule->over) return;
        reader.error_below(node, "still", "the shorter time is longer than the evidence",
                           "say a twelfth of `over`");
      });
  return shape;
}

constexpr Duration kBurnOverMax = hours(24 * 30);

void finish_slo(Reader& reader, const Node& node, SloSpec* slo) {
  if (reader.trusted) return;
  if (slo->objective >= 1 || slo->objective <= 0) {
    reader.error_below(node, "objective", "an objective of 0 % or 100 % leaves no budget",
                       "say less than 100%, such as 99.9%");
  }
  if (slo->page_above > 0 && slo->page_above < 1) {
    reader.error_below(node, "page_above", "is within the budget, where nobody is called",
                       "say at least 1, or 0 for the rules of `burn` alone");
  }
  for (std::size_t i = 0; i < slo->burn.size(); ++i) {
    if (slo->burn[i].over <= kBurnOverMax) continue;
    reader.error_below(node, fmt::format("burn[{}].over", i),
                       "evidence of more than 30 days is not kept", "say at most 30d");
  }
}

Value<std::int64_t> wall_time() {
  return text_value<std::int64_t>(
      "a time on the wall such as 2026-12-07T09:00",
      [](std::string_view text) -> std::optional<std::int64_t> {
        const auto local = parse_local_time(text);
        return local ? std::optional(local->ms) : std::nullopt;
      },
      {{"type", "string"}, {"pattern", R"(^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$)"}});
}

const Shape<RotaSpec::Override>& override_shape() {
  static const Shape<RotaSpec::Override> shape(
      "RotaOverride", "Somebody else is on call for a while.",
      {field("from", &RotaSpec::Override::from, instant(), "From then on.").needed(),
       field("to", &RotaSpec::Override::to, instant(), "Until then.").needed(),
       field("who", &RotaSpec::Override::who, text(), "Who is on call.").needed()});
  return shape;
}

const Shape<RotaSpec>& rota_shape() {
  static const Shape<RotaSpec> shape(
      "Rota", "Who is on call: people take turns.",
      {field("zone", &RotaSpec::zone, zone_name(), "Whose wall the times are of.").assumed("UTC"),
       field("starts", &RotaSpec::starts_ms, wall_time(),
             "When the first of `people` begins; turns change at that time of the day.")
           .needed(),
       field("every", &RotaSpec::days, choice<int>({{"day", 1}, {"week", 7}}),
             "How long a turn is.")
           .assumed("week"),
       field("people", &RotaSpec::people, list(text(), 1'000), "In their order.").needed(),
       list_field("overrides", &RotaSpec::overrides, override_shape(),
                  "Who takes over; the first that holds counts.", 1'000)
           .assumed("[]")},
      [](Reader& reader, const Node& node, RotaSpec* rota) {
        if (rota->people.empty() && node.find("people") != nullptr)
          reader.error_below(node, "people", "nobody takes turns", "name at least one");
        for (std::size_t i = 0; i < rota->overrides.size(); ++i) {
          if (rota->overrides[i].from < rota->overrides[i].to) continue;
          reader.error_below(node, fmt::format("overrides[{}].to", i), "it ends before it begins");
        }
      });
  return shape;
}

bool is_needless_of_url(const AlertRoute& route) {
  return route.type == RouteType::PagerDuty;
}

void finish_route(Reader& reader, const Node& node, AlertRoute* route) {
  if (reader.trusted || reader.is_wrong_below("")) return;
  if (!route->url.empty() && !route->url_secret.empty())
    reader.error_below(node, "url_secret", "the route has two addresses", "keep one of them");
  if (route->url.empty() && route->url_secret.empty() && !is_needless_of_url(*route))
    reader.error(node.position, "the route has no address", "add `url:` or `url_secret:`");
  if (!route->url.empty() && !route->url.starts_with("http://") &&
      !route->url.starts_with("https://"))
    reader.error_below(node, "url", "is no http:// or https:// address");
  if (route->type == RouteType::PagerDuty && route->secret.empty())
    reader.error(node.position, "the route names no routing key",
                 "add `secret:` with the name that the server knows it by");
}

const Shape<AlertRoute>& alert_route_shape() {
  static const Shape<AlertRoute> shape(
      "AlertRoute", "A way by which alerts reach the team.",
      {field("name", &AlertRoute::name, dns_label(), "Unique in the team.").needed(),
       field("type", &AlertRoute::type,
             choice<RouteType>({{"alertmanager", RouteType::Alertmanager},
                                {"webhook", RouteType::Webhook},
                                {"slack", RouteType::Slack},
                                {"pagerduty", RouteType::PagerDuty}}),
             "What is spoken there.")
           .needed(),
       field("url", &AlertRoute::url, text(), "Its address; of an Alertmanager its base.")
           .derived_as("PagerDuty's own"),
       field("url_secret", &AlertRoute::url_secret, dns_label(),
             "The name of a secret that is the address, where the address itself is secret."),
       field("secret", &AlertRoute::secret, dns_label(),
             "The name of a secret: PagerDuty's routing key; elsewhere a bearer token."),
       field("least", &AlertRoute::least, severity(),
             "page: only pages go there; ticket: tickets too.")
           .assumed("ticket")},
      finish_route);
  return shape;
}

void finish_team(Reader& reader, const Node& node, TeamSpec* team) {
  for (std::size_t i = 0; i < team->routes.size(); ++i) {
    const auto same = [&](const AlertRoute& r) { return r.name == team->routes[i].name; };
    if (std::count_if(team->routes.begin(), team->routes.begin() + std::ptrdiff_t(i), same) == 0)
      continue;
    reader.error_below(node, fmt::format("routes[{}].name", i),
                       fmt::format("the route name '{}' is used twice", team->routes[i].name));
  }
}

}  // namespace

const Shape<SloSpec>& slo_shape() {
  static const Shape<SloSpec> shape(
      "Slo", "An objective on what players feel.",
      {field("name", &SloSpec::name, dotted_name(), "Unique in the service.").needed(),
       field("metric", &SloSpec::metric, dotted_name(), "The metric it is about.").needed(),
       field_with<SloSpec, std::int64_t>(
           "objective", percent(),
           [](SloSpec* slo, std::int64_t ppm) { slo->objective = static_cast<double>(ppm) / 1e6; },
           "The share that must be good.")
           .assumed("99.9%"),
       field("window", &SloSpec::window, positive_duration(), "Over how long.").assumed("28d"),
       field_with<SloSpec, double>(
           "at_most", bound(), [](SloSpec* slo, double bound) { slo->at_most = bound; },
           "Of a quantile metric, in its unit: what is above is bad."),
       list_field("burn", &SloSpec::burn, burn_rule_shape(),
                  "When somebody is told, the fastest first.", 8)
           .assumed(R"([{"over":"1h","still":"5m","factor":14.4,"then":"page"},)"
                    R"({"over":"6h","still":"30m","factor":6,"then":"page"},)"
                    R"({"over":"3d","still":"6h","factor":1,"then":"ticket"}])"),
       field("page_above", &SloSpec::page_above, number(0, 1'000),
             "A page as soon as it is proven that the budget burns more than so many times as fast "
             "as it may; 0: by the rules of `burn` alone.")
           .assumed("2"),
       field("harmed_min", &SloSpec::harmed_min, big_integer(1),
             "A page needs so many bad sessions; fewer are a ticket.")
           .assumed("10")},
      finish_slo);
  return shape;
}

const Shape<TeamSpec>& team_shape() {
  static const Shape<TeamSpec> shape(
      "Team", "People who own things.",
      {field("members", &TeamSpec::members, list(text(), 10'000), "Account names.").assumed("[]"),
       field("escalation", &TeamSpec::escalation, list(text(), 256),
             "Who is called next: teams or members, in order.")
           .assumed("[]"),
       field("escalate_after", &TeamSpec::escalate_after, list(positive_duration(), 256),
             "How long a page waits to be acknowledged before each step; the last one repeats.")
           .assumed(R"(["10m"])"),
       field("contacts", &TeamSpec::contacts, map_of(text()),
             "Name → how to reach him or it; told with each alert.")
           .assumed("{}"),
       alternative<TeamSpec, RotaSpec>(
           "rota", rota_shape(),
           [](TeamSpec* team, RotaSpec rota) { team->rota = std::move(rota); }, "Who is on call."),
       list_field("routes", &TeamSpec::routes, alert_route_shape(),
                  "Where its alerts go; without one they are in the journal and the console alone.",
                  32)
           .assumed("[]")},
      finish_team);
  return shape;
}

}  // namespace showcaller::manifest
