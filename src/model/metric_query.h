// SPDX-License-Identifier: Apache-2.0
// The text of a metric's queries to Prometheus: {{event}}, {{arm}}, {{fleet}}, {{build}} and
// {{window}} are filled in. Pure.
//
// What is put in is quoted as PromQL quotes text in double or single quotes, so that no name ends
// the quotes that it stands in. Source: Prometheus, "Querying basics", string literals.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "evidence/tick.h"

namespace showcaller {

struct QueryPlace {
  std::string event, fleet, build;
  Arm arm = Arm::Canary;
  Duration window{};
};

std::string filled_query(std::string_view query, const QueryPlace& place);
// The first placeholder that nothing is known of; empty: none.
std::string unknown_placeholder(std::string_view query);
// Its answer is what happened in the window; without one it is a count that only grows.
bool is_windowed(std::string_view query);

}  // namespace showcaller
