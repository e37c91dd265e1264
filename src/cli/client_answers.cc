// SPDX-License-Identifier: Apache-2.0
#include "cli/client_answers.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/terminal.h"

namespace showcaller {

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value) return "";
  return value->is_string() ? std::string(value->get_string()) : to_json_text(*value);
}

int print_receipt(const ClientContext& context, const Result<json::value>& receipt) {
  if (!receipt) return failed(receipt.error());
  if (context.form != OutputForm::Table || !receipt->is_object()) {
    print_value(*receipt, context.form);
    return kExitOk;
  }
  const json::object& object = receipt->get_object();
  const json::value* notes = object.if_contains("notes");
  if (notes && notes->is_array()) {
    for (const json::value& note : notes->get_array())
      say(std::string(note.is_string() ? note.get_string() : json::string()));
  }
  if (get_int(object, "seq") > 0)
    say(coloured(fmt::format("accepted as record {}", get_int(object, "seq")), "dim"));
  else
    say(coloured("nothing had to change", "dim"));
  return kExitOk;
}

void say_list(const json::object& object, std::string_view key, const std::string& title) {
  const json::value* list = object.if_contains(key);
  if (!list || !list->is_array()) return;
  for (const json::value& item : list->get_array()) {
    say(fmt::format("    {}: {}", title,
                    item.is_string() ? std::string(item.get_string()) : to_json_text(item)));
  }
}

void say_capacity(const json::object& event) {
  const json::value* fleets = event.if_contains("capacity");
  if (!fleets || !fleets->is_array()) return;
  for (const json::value& each : fleets->get_array()) {
    const json::object& fleet = each.as_object();
    const bool is_short = get_int(fleet, "short_instances") > 0;
    say(coloured(
        fmt::format("    capacity of {}: {}", text_at(fleet, "fleet"), text_at(fleet, "says")),
        is_short ? "yellow" : ""));
  }
}

void say_schedule(const json::object& schedule) {
  for (const auto& [key, time] : schedule) {
    if (time.is_string()) {
      say(fmt::format("    {} {}", std::string_view(key), std::string_view(time.get_string())));
      continue;
    }
    std::string regions;
    for (const auto& [region, at] : time.as_object())
      regions += fmt::format(" {} {},", std::string_view(region), std::string_view(at.as_string()));
    if (!regions.empty()) regions.pop_back();
    say(fmt::format("    {}{}", std::string_view(key), regions));
  }
}

}  // namespace showcaller
