// SPDX-License-Identifier: Apache-2.0
// What the verbs that speak to a server do with its answers.
#pragma once

#include <string>
#include <string_view>

#include "cli/client_verbs.h"

namespace showcaller {

// A member as text: a string's own, else its JSON; absent: "".
std::string text_at(const json::object& object, std::string_view key);
// "    title: item" for each of a list; nothing when there is none.
void say_list(const json::object& object, std::string_view key, const std::string& title);
// What the demand of an event's fleets is forecast to become, a line each.
void say_capacity(const json::object& event);
// A schedule's times, a line each.
void say_schedule(const json::object& schedule);
// Receipts, and what a dry run found: sentences for people, the whole for programs.
int print_receipt(const ClientContext& context, const Result<json::value>& receipt);

template <class Act>
int with_server(const ClientContext& context, Act act) {
  auto client = ApiClient::open(context.address);
  if (!client) return failed(client.error());
  return act(*client);
}

inline constexpr const char* kDryRunHelp = "Only say what would follow; nothing is done";
// Sends a command, with the reason that was given, or only asks what would follow; prints the
// answer.
int send_command(const ClientContext& context, const std::string& target, json::object body);

}  // namespace showcaller
