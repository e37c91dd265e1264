// SPDX-License-Identifier: Apache-2.0
#include "codec/alert_formats.h"

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::size_t kSlackTextMax = 2'900, kPagerDutySummaryMax = 1'024;

bool is_resolved(const json::object& alert) {
  return get_string(alert, "state") == "resolved";
}

std::string lines_of(const json::object& alert, std::string_view key, std::string_view before) {
  std::string out;
  const json::value* list = get_if(alert, key);
  if (!list || !list->is_array()) return out;
  for (const json::value& line : list->get_array()) {
    if (!line.is_string()) continue;
    out +=
        fmt::format("{}{}{}", out.empty() ? "" : "\n", before, std::string_view(line.get_string()));
  }
  return out;
}

// Whole characters of UTF-8, at most so many bytes.
std::string cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t end = max - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

void put(json::object* out, std::string_view key, const std::string& text) {
  if (!text.empty()) (*out)[key] = text;
}

std::string slack_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string headline(const json::object& alert) {
  return fmt::format("[{} {}] {}", get_string(alert, "state"), get_string(alert, "severity"),
                     get_string(alert, "text"));
}

json::object section(std::string text) {
  return {
      {"type", "section"},
      {"text", json::object{{"type", "mrkdwn"}, {"text", cut(std::move(text), kSlackTextMax)}}}};
}

}  // namespace

std::string alertmanager_body(const json::object& alert, Instant now) {
  json::object labels{{"alertname", "Showcaller"}};
  for (const std::string_view key : {"subject", "cause", "detail", "severity", "event"})
    put(&labels, key, get_string(alert, key));
  put(&labels, "alert", get_string(alert, "id"));
  // Escalation changes whose turn it is, never which alert it is.
  put(&labels, "team", get_string(alert, "owning_team", get_string(alert, "team")));
  json::object annotations;
  put(&annotations, "summary", get_string(alert, "text"));
  put(&annotations, "latest", get_string(alert, "latest"));
  put(&annotations, "next_steps", lines_of(alert, "next_steps", ""));
  put(&annotations, "runbook", get_string(alert, "runbook"));
  put(&annotations, "owner", get_string(alert, "owner"));
  put(&annotations, "acknowledged_by", get_string(alert, "acknowledged_by"));
  const std::string ends = is_resolved(alert) ? get_string(alert, "resolved_at")
                                              : format_instant(now + kAlertmanagerHolds);
  return to_json_text(json::array{json::object{{"labels", std::move(labels)},
                                               {"annotations", std::move(annotations)},
                                               {"startsAt", get_string(alert, "opened_at")},
                                               {"endsAt", ends}}});
}

std::string cloud_event_body(const json::object& alert, Instant now) {
  return to_json_text(
      json::object{{"specversion", "1.0"},
                   {"id", fmt::format("{}/{}", get_string(alert, "id"), get_int(alert, "change"))},
                   {"source", "/showcaller"},
                   {"type", "dev.showcaller.alert." + get_string(alert, "state")},
                   {"subject", get_string(alert, "subject")},
                   {"time", format_instant(now)},
                   {"datacontenttype", "application/json"},
                   {"data", alert}});
}

std::string slack_body(const json::object& alert) {
  json::array blocks{section("*" + slack_escaped(headline(alert)) + "*")};
  std::string facts = fmt::format("alert {} of {}, team {}", get_string(alert, "id"),
                                  get_string(alert, "subject"), get_string(alert, "team"));
  if (const auto owner = get_string(alert, "owner"); !owner.empty()) facts += ", for " + owner;
  if (const auto by = get_string(alert, "acknowledged_by"); !by.empty())
    facts += ", acknowledged by " + by;
  if (const auto players = get_int(alert, "players_at_risk"); players > 0)
    facts += fmt::format(", {} players at risk", players);
  blocks.push_back(section(slack_escaped(facts)));
  if (const auto latest = get_string(alert, "latest"); !latest.empty() && !is_resolved(alert))
    blocks.push_back(section(slack_escaped("since then: " + latest)));
  std::string steps = lines_of(alert, "next_steps", "• ");
  if (const auto runbook = get_string(alert, "runbook"); !runbook.empty())
    steps += fmt::format("{}• runbook: {}", steps.empty() ? "" : "\n", runbook);
  if (!steps.empty() && !is_resolved(alert)) blocks.push_back(section(slack_escaped(steps)));
  return to_json_text(json::object{{"text", cut(slack_escaped(headline(alert)), kSlackTextMax)},
                                   {"blocks", std::move(blocks)}});
}

std::string pager_duty_body(const json::object& alert, std::string_view routing_key) {
  const std::string state = get_string(alert, "state");
  json::object out{{"routing_key", routing_key},
                   {"event_action", state == "resolved"       ? "resolve"
                                    : state == "acknowledged" ? "acknowledge"
                                                              : "trigger"},
                   {"dedup_key", get_string(alert, "id")}};
  json::object payload{
      {"summary", cut(get_string(alert, "text"), kPagerDutySummaryMax)},
      {"source", get_string(alert, "subject")},
      {"severity", get_string(alert, "severity") == "page" ? "critical" : "warning"},
      {"timestamp", get_string(alert, "opened_at")},
      {"class", get_string(alert, "cause")},
      {"group", get_string(alert, "team")},
      {"custom_details", alert}};
  out["payload"] = std::move(payload);
  return to_json_text(out);
}

}  // namespace showcaller
