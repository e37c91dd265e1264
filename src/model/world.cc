// SPDX-License-Identifier: Apache-2.0
#include "model/world.h"

namespace showcaller {

EventState::EventState() = default;
EventState::EventState(const EventState& other) = default;
EventState::EventState(EventState&& other) noexcept = default;
EventState& EventState::operator=(const EventState& other) = default;
EventState& EventState::operator=(EventState&& other) noexcept = default;
EventState::~EventState() = default;

World::World() = default;
World::World(const World& other) = default;
World::World(World&& other) noexcept = default;
World& World::operator=(const World& other) = default;
World& World::operator=(World&& other) noexcept = default;
World::~World() = default;

}  // namespace showcaller
