// SPDX-License-Identifier: Apache-2.0
// Arms as text, on the instance itself, so that a restarted allocator knows them again:
//
//   arms = [ arm { ',' arm } ]
//   arm  = EVENT ':' REVISION ':' VISIT ':' ( 'canary' | 'baseline' ) [ ':counted' | ':spilled' ]
#include "model/arm_assignment.h"

#include <charconv>

#include <fmt/format.h>

namespace showcaller {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

bool parse(std::string_view text, std::int64_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string arms_to_text(const std::vector<ArmAssignment>& arms) {
  std::string out;
  for (const ArmAssignment& arm : arms) {
    out += fmt::format("{}{}:{}:{}:{}{}", out.empty() ? "" : ",", arm.event, arm.revision,
                       arm.visit, to_string(arm.arm),
                       arm.counted   ? ":counted"
                       : arm.spilled ? ":spilled"
                                     : "");
  }
  return out;
}

std::vector<ArmAssignment> arms_from_text(std::string_view text) {
  std::vector<ArmAssignment> out;
  if (text.empty()) return out;
  for (const std::string_view item : split(text, ',')) {
    const auto parts = split(item, ':');
    ArmAssignment arm;
    if (parts.size() < 4 || parts.size() > 5 || parts[0].empty()) continue;
    if (!parse(parts[1], &arm.revision) || !parse(parts[2], &arm.visit)) continue;
    if (parts[3] != "canary" && parts[3] != "baseline") continue;
    arm.event = parts[0];
    arm.arm = parts[3] == "canary" ? Arm::Canary : Arm::Baseline;
    arm.counted = parts.size() == 5 && parts[4] == "counted";
    arm.spilled = parts.size() == 5 && parts[4] == "spilled";
    out.push_back(std::move(arm));
  }
  return out;
}

}  // namespace showcaller
