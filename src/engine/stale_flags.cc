// SPDX-License-Identifier: Apache-2.0
#include "engine/stale_flags.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/decide.h"
#include "engine/flag_facts.h"
#include "flow/flag_layers.h"

namespace showcaller {
namespace {

class StaleFlag {
 public:
  StaleFlag(const StaleRequest& request, const std::string& flag, const FlagSpec& spec)
      : request_(request), flag_(flag), spec_(spec), seen_(request.usage.of(flag)) {}

  json::array reasons() {
    never_evaluated();
    one_answer();
    owner_gone();
    event_over();
    return std::move(reasons_);
  }

  std::string evaluations() const {
    if (seen_) return std::to_string(seen_->times);
    return request_.usage.anybody_tells() && !request_.usage.is_full() ? "0" : "not known";
  }

 private:
  void add(std::string_view rule, std::string says) {
    reasons_.push_back(json::object{{"rule", rule}, {"says", std::move(says)}});
  }
  bool is_long_ago(Instant then) const { return request_.wall - then >= request_.days; }
  std::string days() const { return format_duration(request_.days); }

  // Only for as long as somebody has been counting.
  void never_evaluated() {
    const FlagUsage& usage = request_.usage;
    if (seen_ || !usage.anybody_tells() || usage.is_full() || !is_long_ago(usage.since())) return;
    add("never_evaluated", fmt::format("nobody asked for it since {}, when counting began",
                                       format_instant(usage.since())));
  }

  void one_answer() {
    if (says_one_thing()) {
      add("one_answer", fmt::format("it has no targeting, no event and no schedule, and has not "
                                    "changed for {}",
                                    days()));
      return;
    }
    if (!seen_ || !seen_->all_known || !is_long_ago(request_.usage.since())) return;
    std::vector<std::string> given;
    for (const auto& [variant, answer] : seen_->variants) {
      if (!is_long_ago(answer.last)) given.push_back(variant);
    }
    if (given.size() != 1) return;
    add("one_answer",
        fmt::format("everybody who asked within {} got {}", days(),
                    given.front().empty() ? "his own default" : "'" + given.front() + "'"));
  }

  bool says_one_thing() const {
    const json::value* targeting = spec_.definition.if_contains("targeting");
    const bool has_rule = targeting && targeting->is_object() && !targeting->get_object().empty();
    const auto at = request_.past.find(flag_);
    const bool changed_lately = at == request_.past.end() || !is_long_ago(at->second.changed);
    return !has_rule && !changed_lately && spec_.schedule.empty() && spec_.prerequisites.empty() &&
           events_that_change(request_.world, flag_).empty();
  }

  void owner_gone() {
    const auto teams = names_of(request_.world, Kind::Team);
    const std::string& owner = request_.world.manifest(Kind::Flag, flag_)->owner;
    if (teams.empty() || std::ranges::find(teams, owner) != teams.end()) return;
    add("owner_gone", fmt::format("its owner '{}' is no Team any more", owner));
  }

  void event_over() {
    const auto at = request_.past.find(flag_);
    if (at == request_.past.end() || at->second.event.empty()) return;
    if (!events_that_change(request_.world, flag_).empty()) return;
    add("event_over", fmt::format("LiveEvent '{}', which changed it, is over since {}",
                                  at->second.event, format_instant(at->second.event_changed)));
  }

  const StaleRequest& request_;
  const std::string& flag_;
  const FlagSpec& spec_;
  const FlagUsage::Seen* seen_;
  json::array reasons_;
};

}  // namespace

json::object stale_flags(const StaleRequest& request) {
  json::array rows;
  each_flag(request.world, [&](const std::string& flag, const FlagSpec& spec) {
    StaleFlag stale(request, flag, spec);
    json::array reasons = stale.reasons();
    if (reasons.empty()) return;
    const FlagUsage::Seen* seen = request.usage.of(flag);
    json::object row{{"flag", flag},
                     {"owner", request.world.manifest(Kind::Flag, flag)->owner},
                     {"evaluations", stale.evaluations()}};
    if (seen) row["last_evaluated"] = format_instant(seen->last);
    row["why"] = std::move(reasons);
    rows.push_back(std::move(row));
  });
  json::object out{{"counted_since", format_instant(request.usage.since())},
                   {"evaluations", request.usage.anybody_tells() ? "known" : "not known"},
                   {"flags", std::move(rows)}};
  return out;
}

}  // namespace showcaller
