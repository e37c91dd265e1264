// SPDX-License-Identifier: Apache-2.0
// decide()'s parts, one a sort of input.
#pragma once

#include "engine/decide.h"
#include "engine/moves.h"

namespace showcaller {

// Authorises, then decides; the parts below rely on that.
Result<Decision> decide_command(const World& world, const Command& command, Instant now);
// `trace`: of the command, from which revisions get traces of their own.
Result<Decision> decide_apply(const World& world, const ApplyCommand& apply,
                              const std::string& trace, Instant now);
// A revision of an event that is alive: whether it waits beside the present one until it is
// approved, or begins anew; or why it may do neither. `next_world` has all that is applied with it.
Result<bool> waits_beside_the_present(const World& world, const World& next_world,
                                      const EventState& event,
                                      const std::shared_ptr<const Manifest>& next);
Result<Decision> decide_remove(const World& world, const RemoveCommand& remove);
// What an operator's verb on an event comes to. The reason is never empty.
Result<std::vector<Payload>> decide_verb(const Subject& subject, const EventCommand& command,
                                         const std::string& reason);
// Whether a drill may be played on a server, and until when; or that it is to stop.
Result<Decision> decide_drill(const World& world, const DrillCommand& command,
                              const std::string& reason, Instant now);
// The kill switch of a flag. The reason is never empty.
Result<Decision> decide_flags_of_relay(const World& world, const MergeFlagsCommand& command);
Result<Decision> decide_flag(const World& world, const FlagCommand& command,
                             const std::string& reason, Instant now);
// A feature of a service by hand. The reason is never empty.
Result<Decision> decide_feature(const World& world, const FeatureCommand& command,
                                const std::string& reason, Instant now);
// `actor`: whose the alert is when it is owned without a name.
Result<Decision> decide_alert(const World& world, const AlertCommand& command,
                              const std::string& actor, const std::string& reason, Instant now);
// The reason is never empty.
Result<Decision> decide_silence(const World& world, const SilenceCommand& command,
                                const std::string& reason, Instant now);
Result<Decision> decide_unsilence(const World& world, const UnsilenceCommand& command,
                                  const std::string& reason);
Result<Decision> decide_delivery(const World& world, const DeliveryReported& report);
// Builds, hosts and regions that are isolated from now on: one alert of their fleet.
void tell_of_quarantines(const World& world, const std::string& fleet, Instant now,
                         std::vector<Payload>* payloads);
Result<Decision> decide_look(const World& world, const GateLooked& look, Instant now);

}  // namespace showcaller
