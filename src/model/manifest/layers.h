// SPDX-License-Identifier: Apache-2.0
// Change-sets as layers: which LiveEvents touch the same path, and is it said which of them lies on
// top?
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/spec/manifest.h"

namespace showcaller {

// Two layers on one path that nothing orders.
struct LayerConflict {
  const Manifest* event = nullptr;  // the later of the two in the input
  const Manifest* other = nullptr;
  std::size_t change = 0;  // of event: index in its changes
  std::string path;        // "flag:raid-entrance"
};

// Events with different priorities are ordered, and so are events of which one is, through any
// number of others, `after` the other. Events that can never be in force together do not meet.
// Actions are no layers. Sorted by input order.
enum class LayersMeet { AsScheduled, Always };  // Always: as if every event were in force now
std::vector<LayerConflict> find_layer_conflicts(std::span<const Manifest* const> events,
                                                LayersMeet meet = LayersMeet::AsScheduled);

// An event that wants to lie above another, by `after`, and lies below it, by priority.
struct OrderContradiction {
  const Manifest* upper = nullptr;  // that says `after`
  const Manifest* lower = nullptr;
};
std::vector<OrderContradiction> find_order_contradictions(std::span<const Manifest* const> events);

// Names of the events that are part of a cycle of `after`, sorted.
std::vector<std::string> find_after_cycles(std::span<const Manifest* const> events);

// Above whom, and below whom, a layer lies: true when `upper` is applied over `lower`.
bool lies_above(const Manifest& upper, const Manifest& lower,
                std::span<const Manifest* const> events);

}  // namespace showcaller
