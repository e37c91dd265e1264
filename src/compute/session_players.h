// SPDX-License-Identifier: Apache-2.0
// The players of a session as audiences and flags see them: what the call itself knows wins over
// what a player brings, and that over what the session brings.
#pragma once

#include <string>
#include <string_view>

#include "compute/allocation.h"
#include "model/exposure.h"

namespace showcaller {

class SessionPlayers {
 public:
  // Views them all; they outlive it. `party` is the id that is bucketed.
  SessionPlayers(const AllocationRequest& request, const std::string& party,
                 const std::string& region)
      : request_(request), party_(party), region_(region), session_(request.context) {}

  // What `question` answers to the player's context.
  template <class Question>
  auto ask(const AllocationPlayer& player, const Question& question) const {
    EvaluationContext own(player.context);
    own.set_parent(&session_);
    EvaluationContext context;
    context.set_parent(&own);
    context.set_targeting_key(player.id);
    context.set(unit_attribute(Unit::Party), std::string_view(party_));
    context.set(unit_attribute(Unit::Match), std::string_view(request_.session));
    if (!request_.guild.empty())
      context.set(unit_attribute(Unit::Guild), std::string_view(request_.guild));
    context.set("region", std::string_view(region_));
    if (request_.protocol != 0) context.set("protocol", double(request_.protocol));
    return question(context);
  }

 private:
  const AllocationRequest& request_;
  const std::string& party_;
  const std::string& region_;
  EvaluationContext session_;
};

}  // namespace showcaller
