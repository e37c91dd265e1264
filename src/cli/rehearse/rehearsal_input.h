// SPDX-License-Identifier: Apache-2.0
// What is played in the simulator, read from files: the manifests, who plays, and when. For the
// verbs that play: rehearse and drill.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/manifest/manifest.h"
#include "sim/run.h"

namespace showcaller {

using PlayedManifests = std::vector<std::shared_ptr<const Manifest>>;

// With all that they refer to: the simulator knows no server. Findings go to standard error.
Result<PlayedManifests> read_played_manifests(const std::vector<std::string>& paths);
// `asked` empty: all that there are.
Result<std::vector<std::string>> events_named(
    std::span<const std::shared_ptr<const Manifest>> manifests, const std::string& asked);
// `asked` empty: the only one there is.
Result<std::string> event_named(std::span<const std::shared_ptr<const Manifest>> manifests,
                                const std::string& asked);
// Other events are left out, and `verb` says so: each is played by itself. Drills are no part of a
// game.
void keep_one_event(std::string_view verb, sim::RunSpec* run);
// Those that are over when the run begins are left out, and it is said.
void keep_its_time(sim::RunSpec* run);
const LiveEventSpec& played_event(const sim::RunSpec& run);

// Either path may be empty: as the fleets suggest, and without a recorded curve.
Result<sim::Population> read_players(const std::string& path, const std::string& curve_path);
Result<sim::Population> read_players_text(const SourceFile& file);
// Regions that no fleet has, and crowds that no machine plays.
Status check_population(const sim::Population& population,
                        std::span<const std::shared_ptr<const Manifest>> manifests);
// A fault that could strike nothing is a mistake of whoever wrote it.
Status check_fault(const sim::Fault& fault, const LiveEventSpec& event,
                   std::span<const std::shared_ptr<const Manifest>> manifests);
// When it is applied. `at` empty: shortly before its own time begins; an event without one begins
// now.
Result<Instant> start_of(const LiveEventSpec& event, const std::string& at);

}  // namespace showcaller
