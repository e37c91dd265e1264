// SPDX-License-Identifier: Apache-2.0
#include "engine/record_subjects.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace showcaller {
namespace {

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

// "Fleet" and "raid": "fleet/raid". A document is served as the flag "config.NAME" too.
void name_manifest(const std::string& kind, const std::string& name, Subjects* out) {
  out->insert(kind == "LiveEvent" ? "event/" + name : lower_case(kind) + "/" + name);
  if (kind == "Config") out->insert("flag/config." + name);
}

std::string quarantined(const QuarantineScope scope, const std::string& fleet,
                        const std::string& subject) {
  switch (scope) {
    case QuarantineScope::Instance:
      return fmt::format("instance/{}/{}", fleet, subject);
    case QuarantineScope::Build:
      return fmt::format("build/{}@{}", fleet, subject);
    case QuarantineScope::Host:
      return "host/" + subject;
    case QuarantineScope::Region:
      return "region/" + subject;
  }
  return {};
}

// By the names of the fields, which mean the same in every kind of record.
template <class P>
void name_fields(const P& p, Subjects* out) {
  if constexpr (requires { p.event; }) {
    if (!p.event.empty()) out->insert("event/" + p.event);
  }
  if constexpr (requires { p.fleet; }) {
    if (!p.fleet.empty()) out->insert("fleet/" + p.fleet);
    if constexpr (requires { p.id; }) out->insert(fmt::format("instance/{}/{}", p.fleet, p.id));
    if constexpr (requires { p.build; }) out->insert(fmt::format("build/{}@{}", p.fleet, p.build));
    if constexpr (requires { p.subject, p.scope; })
      out->insert(quarantined(p.scope, p.fleet, p.subject));
  }
  if constexpr (requires { p.region; }) {
    if (!p.region.empty()) out->insert("region/" + p.region);
  }
  if constexpr (requires { p.host; }) {
    if (!p.host.empty()) out->insert("host/" + p.host);
  }
  if constexpr (requires { p.flag; }) {
    out->insert("flag/" + p.flag);
    if (p.flag.starts_with("config.")) out->insert("config/" + p.flag.substr(7));
  }
  if constexpr (requires { p.drill; }) out->insert("drill/" + p.drill);
  if constexpr (requires { p.team; }) {
    if (!p.team.empty()) out->insert("team/" + p.team);
  }
}

struct Naming {
  Subjects* out;

  template <class P>
  void operator()(const P& payload) const {
    name_fields(payload, out);
  }
  void operator()(const ManifestApplied& p) const { name_manifest(p.kind, p.name, out); }
  void operator()(const ManifestRemoved& p) const { name_manifest(p.kind, p.name, out); }
  void operator()(const PageRaised& p) const {
    name_fields(p, out);
    out->insert(subject_of_alert(p.subject));
  }
  void operator()(const AlertOpened& p) const {
    name_fields(p, out);
    out->insert(subject_of_alert(p.subject));
  }
  void operator()(const AlertChanged& p) const {
    name_fields(p, out);
    out->insert("alert/" + p.id);
  }
  void operator()(const AlertDelivered& p) const { out->insert("alert/" + p.id); }
  void operator()(const SilenceSet& p) const {
    name_fields(p, out);
    out->insert(subject_of_alert(p.subject));
  }
  void operator()(const LineStopped& p) const { name_scope(p.scope); }
  void operator()(const LineResumed& p) const { name_scope(p.scope); }
  void operator()(const TokenCreated& p) const { out->insert("token/" + p.id); }
  void operator()(const TokenRevoked& p) const { out->insert("token/" + p.id); }

  // A scope is written as a subject already.
  void name_scope(const std::string& scope) const {
    out->insert("line/" + (scope.empty() ? "everything" : scope));
    if (!scope.empty()) out->insert(scope);
  }
};

const json::object& object_at(const json::object& object, std::string_view key) {
  static const json::object kNone;
  const json::value* value = get_if(object, key);
  return value && value->is_object() ? value->get_object() : kNone;
}

const json::array& array_at(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const json::value* value = get_if(object, key);
  return value && value->is_array() ? value->get_array() : kNone;
}

void name_change(const json::object& change, Subjects* out) {
  if (const json::object& build = object_at(change, "build"); !build.empty()) {
    const std::string fleet = get_string(build, "fleet");
    const json::value* version = get_if(build, "version");
    out->insert("fleet/" + fleet);
    if (version)
      out->insert(fmt::format(
          "build/{}@{}", fleet,
          version->is_string() ? std::string(version->get_string()) : to_json_text(*version)));
  }
  if (const std::string flag = get_string(object_at(change, "flag"), "key"); !flag.empty())
    out->insert("flag/" + flag);
  const std::string document = get_string(object_at(change, "config"), "document");
  if (!document.empty()) {
    out->insert("config/" + document);
    out->insert("flag/config." + document);
  }
}

}  // namespace

Subjects subjects_of(const Payload& payload) {
  Subjects out;
  std::visit(Naming{&out}, payload);
  return out;
}

Subjects subjects_of_event_document(const json::object& document) {
  Subjects out;
  const json::object& spec = object_at(document, "spec");
  for (const json::value& change : array_at(spec, "changes")) {
    if (change.is_object()) name_change(change.get_object(), &out);
  }
  for (const json::value& stage : array_at(object_at(spec, "rollout"), "stages")) {
    if (!stage.is_object()) continue;
    for (const json::value& region : array_at(stage.get_object(), "regions"))
      if (region.is_string()) out.insert("region/" + std::string(region.get_string()));
  }
  return out;
}

std::string subject_of_alert(const std::string& named) {
  const std::size_t slash = named.find('/');
  if (slash == std::string::npos) return named;
  Subjects out;
  name_manifest(named.substr(0, slash), named.substr(slash + 1), &out);
  return *out.begin();
}

}  // namespace showcaller
