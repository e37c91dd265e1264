// SPDX-License-Identifier: Apache-2.0
// An alert in the words of those who are told of it. Pure.
//
// Takes an alert as the API shows it (engine/alert_view.h), with "change" beside it: the count of
// what there was to tell. One alert has one key everywhere, its id; a change told twice has the
// same id and change.
//
//   Alertmanager  POST /api/v2/alerts  [{labels, annotations, startsAt, endsAt}]: the labels are
//                 the alert's identity there; endsAt lies ahead while it fires, and it is told
//                 again before then (Alertmanager API v2, "postableAlerts")
//   webhook       CloudEvents 1.0, structured JSON: id "a17/3", type dev.showcaller.alert.STATE
//   Slack         {text, blocks} of an incoming webhook
//   PagerDuty     Events API v2: event_action trigger | acknowledge | resolve, dedup_key the id
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"

namespace showcaller {

// How long Alertmanager takes an alert to fire without being told again.
constexpr Duration kAlertmanagerHolds = minutes(5);

std::string alertmanager_body(const json::object& alert, Instant now);
std::string cloud_event_body(const json::object& alert, Instant now);
std::string slack_body(const json::object& alert);
std::string pager_duty_body(const json::object& alert, std::string_view routing_key);

}  // namespace showcaller
