// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/allocation_json.h"

#include <utility>

#include <fmt/format.h>

#include "wire/field_reader.h"

namespace showcaller {

Result<AllocationPlayer> allocation_player(const json::value& value) {
  if (value.is_string()) return AllocationPlayer{std::string(value.get_string()), {}};
  if (!value.is_object())
    return fail(ErrorCode::Invalid, "a player is neither an id nor an object with an 'id'");
  json::object context = value.get_object();
  FieldReader reader(value.get_object());
  TRY(auto id, reader.text("id"));
  TRY(const json::object* nested, reader.object("context"));
  context.erase("id");
  context.erase("context");
  for (const auto& member : nested != nullptr ? *nested : json::object())
    context[member.key()] = member.value();
  return AllocationPlayer{std::move(id), std::move(context)};
}

Result<AllocationRequest> allocation_request(const json::object& body) {
  FieldReader reader(body);
  AllocationRequest request;
  TRY(request.session, reader.text("session", false));
  TRY(request.fleet, reader.text("fleet", false));
  TRY(request.party, reader.text("party", false));
  TRY(request.guild, reader.text("guild", false));
  TRY(request.region, reader.text("region", false));
  TRY(const auto protocol, reader.whole("protocol"));
  TRY(const json::object* context, reader.object("context"));
  TRY(const json::object* latency, reader.object("latency_ms"));
  TRY(const json::array* players, reader.list("players"));
  TRY(reader.finish());
  if (protocol && !std::in_range<int>(*protocol))
    return fail(ErrorCode::Invalid, "'protocol' is larger than any protocol; write a smaller one");
  request.protocol = int(protocol.value_or(0));
  if (context != nullptr) request.context = *context;
  for (const auto& [region, ms] : latency != nullptr ? *latency : json::object()) {
    if (!ms.is_int64()) {
      return fail(ErrorCode::Invalid,
                  fmt::format("'latency_ms' of '{}' is not a whole number; write milliseconds",
                              std::string_view(region)));
    }
    request.latency_ms[std::string(region)] = ms.get_int64();
  }
  for (const json::value& player : players != nullptr ? *players : json::array()) {
    TRY(auto one, allocation_player(player));
    request.players.push_back(std::move(one));
  }
  return request;
}

json::object allocation_view(const Allocation& allocation) {
  json::array ports, arms;
  for (const int port : allocation.ports) ports.emplace_back(port);
  for (const ArmAssignment& arm : allocation.arms) {
    json::object line{
        {"event", arm.event}, {"revision", arm.revision}, {"arm", std::string(to_string(arm.arm))}};
    if (arm.spilled) line["spilled"] = true;
    arms.push_back(std::move(line));
  }
  return {{"session", allocation.session},
          {"instance", allocation.instance},
          {"fleet", allocation.fleet},
          {"build", allocation.build},
          {"region", allocation.region},
          {"address", allocation.address},
          {"port", allocation.ports.empty() ? 0 : allocation.ports.front()},
          {"ports", std::move(ports)},
          {"party", allocation.unit_party},
          {"arms", std::move(arms)},
          {"claim_by", format_instant(allocation.claim_by)},
          {"repeated", allocation.repeated}};
}

}  // namespace showcaller
