// SPDX-License-Identifier: Apache-2.0
// Keys that this version keeps and shows, and that nothing acts on: said to whoever writes one, so
// that nobody counts on what does not happen.
#include "model/manifest/validate.h"

namespace showcaller::manifest {
namespace {

struct Unserved {
  Kind kind;
  std::string_view path;
  std::string_view instead;  // what happens
};

constexpr Unserved kUnserved[] = {
    {Kind::Fleet, "spec.spread", "hosts of a region are taken in turn"},
};

const Node* node_at(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (node && !path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    node = node->is_mapping() ? node->find(path.substr(0, dot)) : nullptr;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return node;
}

void say_unserved_metric(Reader& reader, const Draft& draft) {
  const auto& metric = draft.manifest.as<MetricSpec>();
  if (metric.per != "session") {
    reader.warning_at(draft.root, "spec.per",
                      "kept and shown: what is counted below the line is what the reports say");
  }
}

void say_unserved_change(Reader& reader, const Draft& draft, const Change& change,
                         const std::string& at) {
  const auto* action = std::get_if<ActionChange>(&change.what);
  if (action && !action->compensate.empty()) {
    reader.warning_at(draft.root, at + ".action.compensate",
                      "kept and shown for who repairs players by hand: this version calls it for "
                      "nobody");
  }
  const auto* bundle = std::get_if<BundleChange>(&change.what);
  if (bundle && bundle->preload > Duration::zero()) {
    reader.warning_at(draft.root, at + ".bundle.preload",
                      "this version hands nothing to clients: plan says whether so much time is "
                      "left, and `showcaller ready` reports who has it");
  }
}

void say_unserved_event(Reader& reader, const Draft& draft) {
  const auto& changes = draft.manifest.as<LiveEventSpec>().changes;
  for (std::size_t i = 0; i < changes.size(); ++i)
    say_unserved_change(reader, draft, changes[i], fmt::format("spec.changes[{}]", i));
}

}  // namespace

void say_unserved(Reader& reader, const Draft& draft) {
  for (const Unserved& unserved : kUnserved) {
    if (unserved.kind != draft.kind || !node_at(draft.root, unserved.path)) continue;
    reader.warning_at(draft.root, unserved.path,
                      fmt::format("kept and shown, but nothing acts on it in this version: {}",
                                  unserved.instead));
  }
  if (draft.kind == Kind::Metric) say_unserved_metric(reader, draft);
  if (draft.kind == Kind::LiveEvent) say_unserved_event(reader, draft);
}

}  // namespace showcaller::manifest
