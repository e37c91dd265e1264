// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/flag_schedule_times.h"

#include <optional>

#include <fmt/format.h>

#include "model/manifest/zone.h"

namespace showcaller::manifest {
namespace {

class FlagTimes {
 public:
  FlagTimes(Reader& reader, Node* schedule) : reader_(reader), schedule_(*schedule) {
    if (const Node* zone = schedule->find("zone")) {
      zone_ = zone->text;
      zone_known_ = zone->is_string() && zone_exists(zone_);
    }
    if (const Node* gap = schedule->find("on_gap")) {
      if (gap->text == "shift") choice_.on_gap = OnGap::Shift;
      if (gap->text == "skip") choice_.on_gap = OnGap::Skip;
    }
    if (const Node* overlap = schedule->find("on_overlap")) {
      if (overlap->text == "earlier") choice_.on_overlap = OnOverlap::Earlier;
      if (overlap->text == "later") choice_.on_overlap = OnOverlap::Later;
    }
  }

  // True: a time was resolved from the zone.
  bool resolve() {
    Node* changes = schedule_.find("changes");
    if (changes == nullptr || !changes->is_sequence()) return false;
    const Reader::Inside inside(&reader_, "changes");
    std::vector<Node> kept;
    for (std::size_t i = 0; i < changes->items.size(); ++i) {
      const Reader::Inside item(&reader_, i);
      if (resolve_item(&changes->items[i])) kept.push_back(std::move(changes->items[i]));
    }
    changes->items = std::move(kept);
    return used_zone_;
  }

 private:
  // False: there is no such time, and it is to be skipped.
  bool resolve_item(Node* item) {
    if (!item->is_mapping()) return true;  // The typed reader says what is wrong.
    const Node* at = item->find("at");
    if (at == nullptr || !at->is_string()) return true;
    if (const auto absolute = parse_instant(at->text)) {
      put(item, *at, *absolute);
      return true;
    }
    const auto local = parse_local_time(at->text);
    if (!local || !zone_known_) return true;
    used_zone_ = true;
    const auto resolved = resolve_local(*local, zone_, choice_);
    if (resolved && !*resolved) return false;
    if (resolved) {
      put(item, *at, **resolved);
      return true;
    }
    const Reader::Inside inside(&reader_, "at");
    reader_.error(at->position, resolved.error().message);
    std::erase_if(item->entries, [](const Entry& entry) { return entry.key == "at"; });
    return true;
  }

  static void put(Node* item, const Node& written, Instant at) {
    item->set("at", string_node(format_instant(at), written.position));
  }

  Reader& reader_;
  Node& schedule_;
  std::string zone_ = "UTC";
  bool zone_known_ = true;
  bool used_zone_ = false;
  ClockChangeChoice choice_;
};

}  // namespace

void resolve_flag_schedule(Reader& reader, Node* spec, std::string_view tzdata_version) {
  Node* schedule = spec->find("schedule");
  if (schedule == nullptr || !schedule->is_mapping()) return;
  const Reader::Inside inside(&reader, "schedule");
  if (FlagTimes(reader, schedule).resolve() && !tzdata_version.empty())
    schedule->set("tzdata", string_node(tzdata_version, schedule->position));
}

}  // namespace showcaller::manifest
