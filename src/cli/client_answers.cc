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

namespace {

void say_dry_run(const json::object& told) {
  for (const json::value& note : told.at("notes").as_array()) say(std::string(note.as_string()));
  for (const json::value& each : told.at("events").as_array()) {
    const json::value* risk = get_if(each.as_object(), "at_risk");
    if (!risk) continue;
    say(coloured(fmt::format("{}: {}", text_at(each.as_object(), "event"),
                             text_at(risk->as_object(), "says")),
                 "yellow"));
  }
  if (const json::value* touches = get_if(told, "touches"))
    say(coloured("isolates " + text_at(touches->as_object(), "says"), "yellow"));
  for (const json::value& record : told.at("records").as_array())
    say(fmt::format("  would write  {}", text_at(record.as_object(), "line")));
  if (told.contains("left_out")) say(fmt::format("  and {} more", text_at(told, "left_out")));
  const bool idle = told.at("records").as_array().empty();
  say(coloured(get_bool(told, "repeated") ? "nothing would happen: the key was used for this before"
               : idle                     ? "nothing would have to change"
                                          : "a dry run: nothing was done",
               "dim"));
}

}  // namespace

int print_receipt(const ClientContext& context, const Result<json::value>& receipt) {
  if (!receipt) return failed(receipt.error());
  if (context.form != OutputForm::Table || !receipt->is_object()) {
    print_value(*receipt, context.form);
    return kExitOk;
  }
  const json::object& object = receipt->get_object();
  if (get_bool(object, "dry_run")) {
    say_dry_run(object);
    return kExitOk;
  }
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

int send_command(const ClientContext& context, const std::string& target, json::object body) {
  if (!context.reason.empty()) body["reason"] = context.reason;
  const std::string asked = context.dry_run ? target + "?dry_run=true" : target;
  return with_server(context, [&](ApiClient& client) {
    return print_receipt(context, client.post(asked, body, context.key));
  });
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
