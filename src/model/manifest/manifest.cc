// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/manifest.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/hash.h"
#include "model/manifest/exclusion_shapes.h"
#include "model/manifest/flag_schedule_times.h"
#include "model/manifest/pipeline.h"
#include "model/manifest/references.h"
#include "model/manifest/shapes.h"
#include "model/manifest/validate.h"
#include "model/probe_metrics.h"

namespace showcaller {
namespace manifest {
namespace {

constexpr std::string_view kLaterKinds[] = {"Environment", "Migration"};

json::value sorted(const json::value& value) {
  if (const auto* array = value.if_array()) {
    json::array out;
    out.reserve(array->size());
    for (const json::value& item : *array) out.push_back(sorted(item));
    return out;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  std::map<std::string_view, const json::value*> by_key;
  for (const auto& [key, item] : *object) by_key[key] = &item;
  json::object out;
  out.reserve(by_key.size());
  for (const auto& [key, item] : by_key) out[key] = sorted(*item);
  return out;
}

template <class Spec>
void read_spec_as(Reader& reader, const Shape<Spec>& shape, Node& node, Manifest* manifest) {
  Spec spec;
  shape.read(reader, node, &spec);
  manifest->spec = std::move(spec);
}

void read_spec(Reader& reader, Kind kind, Node& node, Manifest* manifest) {
  switch (kind) {
    case Kind::Team:
      return read_spec_as(reader, team_shape(), node, manifest);
    case Kind::Policy:
      return read_spec_as(reader, policy_shape(), node, manifest);
    case Kind::Metric:
      return read_spec_as(reader, metric_shape(), node, manifest);
    case Kind::Service:
      return read_spec_as(reader, service_shape(), node, manifest);
    case Kind::Fleet:
      return read_spec_as(reader, fleet_shape(), node, manifest);
    case Kind::Flag:
      return read_spec_as(reader, flag_shape(), node, manifest);
    case Kind::Pipeline:
      return read_spec_as(reader, pipeline_shape(), node, manifest);
    case Kind::LiveEvent:
      return read_spec_as(reader, live_event_shape(), node, manifest);
    case Kind::Drill:
      return read_spec_as(reader, drill_shape(), node, manifest);
    case Kind::Probe:
      return read_spec_as(reader, probe_shape(), node, manifest);
    case Kind::ExclusionGroup:
      return read_spec_as(reader, exclusion_group_shape(), node, manifest);
    case Kind::Holdout:
      return read_spec_as(reader, holdout_shape(), node, manifest);
    case Kind::Config:
      return read_spec_as(reader, config_shape(), node, manifest);
  }
}

// apiVersion, kind and the keys at the top. Nullopt: a finding says why nothing more can be read.
std::optional<Kind> read_head(Reader& reader, const Node& root) {
  if (!root.is_mapping()) {
    reader.error(root.position, fmt::format("expected a manifest, found {}", describe(root)),
                 "begin with `apiVersion: showcaller.dev/v1` and `kind:`");
    return std::nullopt;
  }
  static const std::vector<std::string> kKeys = {"apiVersion", "kind", "metadata", "spec"};
  for (const Entry& entry : root.entries) {
    if (reader.trusted || std::ranges::find(kKeys, entry.key) != kKeys.end()) continue;
    const Reader::Inside inside(&reader, entry.key);
    reader.error(entry.position,
                 fmt::format("the key '{}' is not known here", entry.key.substr(0, 64)),
                 entry.key == "status" ? "take it out: status lives in the server"
                                       : suggestion(entry.key, kKeys));
  }
  const Node* version = root.find("apiVersion");
  if (version == nullptr) {
    reader.error(root.position, "manifest has no apiVersion",
                 "add `apiVersion: showcaller.dev/v1`");
  } else if (!version->is_string() || version->text != kApiVersion) {
    const Reader::Inside inside(&reader, "apiVersion");
    reader.error(version->position,
                 fmt::format("the version '{}' is not known", version->text.substr(0, 64)),
                 "write `apiVersion: showcaller.dev/v1`");
  }
  const Node* kind = root.find("kind");
  std::vector<std::string> known;
  for (int k = 0; k < kKinds; ++k) known.emplace_back(to_string(Kind(k)));
  if (kind == nullptr) {
    reader.error(root.position, "manifest has no kind", suggestion("", known));
    return std::nullopt;
  }
  const Reader::Inside inside(&reader, "kind");
  if (std::ranges::find(kLaterKinds, kind->text) != std::end(kLaterKinds)) {
    reader.error(
        kind->position,
        fmt::format("the kind {} is known, but this version does not support it", kind->text),
        "take the document out of the files for now");
    return std::nullopt;
  }
  const auto found = kind->is_string() ? kind_from(kind->text) : std::nullopt;
  if (!found)
    reader.error(
        kind->position,
        fmt::format("there is no kind {}", describe(*kind).substr(kind->is_string() ? 11 : 0)),
        suggestion(kind->text, known));
  return found;
}

void read_metadata(Reader& reader, Node& root, Kind kind, Manifest* manifest) {
  Node* node = root.find("metadata");
  if (node == nullptr) {
    reader.error(root.position, "manifest has no metadata",
                 "add `metadata: { name: ..., owner: ... }`");
    return;
  }
  const Reader::Inside inside(&reader, "metadata");
  Metadata metadata;
  if (!metadata_shape().read(reader, *node, &metadata)) return;
  if (Node* name = node->find("name"); name != nullptr && name->is_string()) {
    const Reader::Inside at(&reader, "name");
    name_value(kind).read(reader, *name, &manifest->name);
  }
  if (node->find("owner") == nullptr && kind != Kind::Team && !reader.trusted) {
    reader.error(node->position, "manifest has no owner", "add `metadata.owner` and apply again");
  }
  manifest->owner = metadata.owner.empty() ? manifest->name : metadata.owner;
  manifest->labels = std::move(metadata.labels);
}

void read_body(Reader& reader, Node& root, Kind kind, Manifest* manifest) {
  Node* spec = root.find("spec");
  if (spec == nullptr) {
    reader.error(
        root.position, "manifest has no spec",
        fmt::format("add `spec:`; `showcaller init {}` writes one to start from", to_string(kind)));
    return;
  }
  const Reader::Inside inside(&reader, "spec");
  read_spec(reader, kind, *spec, manifest);
}

void set_document(Manifest* manifest, const json::value& document) {
  manifest->document = sorted(document).get_object();
  manifest->hash = to_hex(sha256(to_canonical_json_text(manifest->document)));
}

// One run over one set of files.
class SetParser {
 public:
  SetParser(std::span<const SourceFile> files, const ParseOptions& options)
      : files_(files),
        options_(options),
        reader_(files, &outcome_.findings),
        references_(options.known, options.missing) {}

  ParseOutcome run() {
    if (!read_files()) return std::move(outcome_);
    for (Draft& draft : drafts_) {
      if (draft.kind != Kind::LiveEvent) read(draft);
    }
    for (Draft& draft : drafts_) {
      if (draft.kind == Kind::LiveEvent) read_event(draft);
    }
    find_duplicates();
    validate();
    finish();
    return std::move(outcome_);
  }

 private:
  bool read_files();
  void read(Draft& draft);
  void read_event(Draft& draft);
  void find_duplicates();
  void validate();
  void finish();
  const Node* find_template(std::string_view name);

  // Runs `step`; a new error makes the draft bad.
  template <class Step>
  void watched(Draft& draft, Step&& step) {
    const std::size_t before = reader_.errors();
    reader_.begin_manifest(&draft.wrong);
    step();
    reader_.begin_manifest(nullptr);
    if (reader_.errors() > before) draft.good = false;
  }

  std::span<const SourceFile> files_;
  const ParseOptions& options_;
  ParseOutcome outcome_;
  Reader reader_;
  References references_;
  std::vector<Draft> drafts_;
  std::map<std::string, Node> server_templates_;
  Position pipeline_reference_;
};

bool SetParser::read_files() {
  if (files_.size() > kFilesMax) {
    outcome_.findings.push_back(
        {Severity::Error, "", 0, 0, "",
         fmt::format("{} files; at most {} are read at once", files_.size(), kFilesMax), ""});
    return false;
  }
  std::size_t bytes = 0;
  for (const SourceFile& file : files_) bytes += file.text.size();
  if (bytes > kFilesBytesMax) {
    outcome_.findings.push_back(
        {Severity::Error, "", 0, 0, "",
         fmt::format("{} bytes in all; at most {} are read at once", bytes, kFilesBytesMax),
         "apply them in parts"});
    return false;
  }
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (Node& root :
         parse_documents(files_[i], static_cast<int>(i), options_.limits, &outcome_.findings)) {
      if (drafts_.size() >= options_.limits.documents_max) {
        reader_.error(root.position,
                      fmt::format("more than {} documents at once", options_.limits.documents_max),
                      "apply them in parts");
        return false;
      }
      const std::size_t before = reader_.errors();
      const auto kind = read_head(reader_, root);
      const bool good = reader_.errors() == before;
      if (kind) drafts_.push_back({*kind, std::move(root), {}, good, true, {}});
    }
  }
  // Events are read after what they refer to, and manifests are given out in that order.
  std::ranges::stable_sort(drafts_, {}, &Draft::kind);
  return true;
}

void SetParser::read(Draft& draft) {
  watched(draft, [&] {
    Node* spec = draft.root.find("spec");
    if (draft.kind == Kind::Flag && spec != nullptr && spec->is_mapping()) {
      const Reader::Inside inside(&reader_, "spec");
      resolve_flag_schedule(reader_, spec, options_.tzdata_version);
    }
    read_metadata(reader_, draft.root, draft.kind, &draft.manifest);
    read_body(reader_, draft.root, draft.kind, &draft.manifest);
    if (draft.kind == Kind::Pipeline && spec != nullptr) {
      const Reader::Inside inside(&reader_, "spec");
      check_placeholders(reader_, *spec);
    }
  });
  if (draft.manifest.spec.index() == std::size_t(draft.kind)) references_.add(draft);
}

const Node* SetParser::find_template(std::string_view name) {
  for (const Draft& draft : drafts_) {
    if (draft.kind == Kind::Pipeline && draft.manifest.name == name) return draft.root.find("spec");
  }
  const Manifest* known = options_.known.find ? options_.known.find(Kind::Pipeline, name) : nullptr;
  if (known == nullptr) return nullptr;
  Node& root = server_templates_[std::string(name)];
  root = from_json(known->document);
  return root.find("spec");
}

// A template of the server stands in no file: findings in it point at where it is used.
void place_where_used(Node* node, Position used) {
  if (node->position.line == 0) node->position = used;
  for (Node& item : node->items) place_where_used(&item, used);
  for (Entry& entry : node->entries) {
    if (entry.position.line == 0) entry.position = used;
    place_where_used(&entry.value, used);
  }
}

void SetParser::read_event(Draft& draft) {
  watched(draft, [&] {
    Node* spec = draft.root.find("spec");
    bool expanded = true;
    if (spec != nullptr && spec->is_mapping()) {
      const Reader::Inside inside(&reader_, "spec");
      const Node* reference = spec->find("pipeline");
      const Position used = reference == nullptr ? spec->position : reference->position;
      const ExpansionLimits limits{options_.limits.nodes_max, options_.limits.bytes_max};
      expanded = expand_pipeline(
          reader_, spec, [&](std::string_view name) { return find_template(name); },
          references_.names(Kind::Pipeline), options_.missing, limits);
      fill_configs(spec, references_);
      place_where_used(spec, used);
      const auto regions = regions_of(reader_, *spec, references_);
      resolve_schedule(reader_, spec, regions, options_.missing, options_.tzdata_version);
    }
    read_metadata(reader_, draft.root, draft.kind, &draft.manifest);
    // What an unexpanded template would have brought must not be reported as missing.
    draft.readable = expanded;
    if (!expanded) draft.good = false;  // Even when the reason is told at the pipeline.
    if (expanded) read_body(reader_, draft.root, draft.kind, &draft.manifest);
  });
  if (draft.manifest.spec.index() == std::size_t(draft.kind)) references_.add(draft);
}

void SetParser::find_duplicates() {
  std::map<std::string, const Draft*> seen;
  std::vector<Draft*> in_order;
  for (Draft& draft : drafts_) in_order.push_back(&draft);
  for (Draft* draft : in_order) {
    if (draft->manifest.name.empty()) continue;
    const auto [first, is_new] =
        seen.emplace(fmt::format("{}/{}", to_string(draft->kind), draft->manifest.name), draft);
    if (is_new) continue;
    const Position at = nearest_position(first->second->root, "metadata.name");
    watched(*draft, [&] {
      reader_.error_at(draft->root, "metadata.name",
                       fmt::format("{} is defined twice", first->first),
                       fmt::format("it is already at {}:{}:{}", files_[std::size_t(at.file)].name,
                                   at.line, at.column));
    });
  }
}

void SetParser::validate() {
  std::vector<const Draft*> events;
  for (Draft& draft : drafts_) {
    const Node* spec = draft.root.find("spec");
    if (!draft.readable || spec == nullptr || !spec->is_mapping()) continue;
    watched(draft, [&] { validate_manifest(reader_, draft, references_); });
    if (draft.kind == Kind::LiveEvent && !draft.manifest.name.empty()) events.push_back(&draft);
  }
  validate_layers(reader_, events, references_);
  std::vector<Draft*> members;
  for (Draft& draft : drafts_) members.push_back(&draft);
  validate_exclusion(reader_, members, references_);
}

void SetParser::finish() {
  for (Draft& draft : drafts_) {
    if (!draft.good) continue;
    set_document(&draft.manifest, to_json(draft.root));
    outcome_.manifests.push_back(std::move(draft.manifest));
  }
  const bool cut = outcome_.findings.size() >= kFindingsMax;
  const auto file_index = [&](const Finding& f) {
    return std::ranges::find(files_, f.file, &SourceFile::name) - files_.begin();
  };
  std::ranges::stable_sort(outcome_.findings, [&](const Finding& a, const Finding& b) {
    return std::tuple(file_index(a), a.line, a.column) <
           std::tuple(file_index(b), b.line, b.column);
  });
  if (cut) {
    outcome_.findings.push_back(
        {Severity::Error, "", 0, 0, "",
         fmt::format("there is more: only {} findings are told at once", kFindingsMax),
         "mend these first"});
  }
}

void collect_defaults(const ShapeInfo& shape, const json::value* value, const std::string& path,
                      std::vector<DefaultTaken>* out) {
  const json::object* object = value == nullptr ? nullptr : value->if_object();
  for (const FieldInfo& field : shape.fields()) {
    const json::value* given = object == nullptr ? nullptr : object->if_contains(field.key);
    const std::string at = path + "." + field.key;
    if (given == nullptr) {
      if (field.child_always && !field.by_default) {
        collect_defaults(*field.child, nullptr, at, out);
      } else if (field.by_default) {
        out->push_back({at, *field.by_default});
      } else if (!field.derived.empty()) {
        out->push_back({at, field.derived});
      }
    } else if (field.child != nullptr && field.child_is_list && given->is_array()) {
      for (std::size_t i = 0; i < given->get_array().size(); ++i) {
        collect_defaults(*field.child, &given->get_array()[i], fmt::format("{}[{}]", at, i), out);
      }
    } else if (field.child != nullptr && !field.child_is_list) {
      collect_defaults(*field.child, given, at, out);
    }
  }
}

}  // namespace
}  // namespace manifest

ParseOutcome parse_manifests(std::span<const SourceFile> files, const ParseOptions& options) {
  return manifest::SetParser(files, options).run();
}

Result<Manifest> manifest_from_json(const json::object& document) {
  std::vector<Finding> findings;
  manifest::Reader reader({}, &findings);
  reader.trusted = true;
  manifest::Node root = manifest::from_json(document);
  Manifest out;
  if (const auto kind = manifest::read_head(reader, root)) {
    manifest::read_metadata(reader, root, *kind, &out);
    manifest::read_body(reader, root, *kind, &out);
  }
  if (has_errors(findings)) {
    const auto first = std::ranges::find(findings, Severity::Error, &Finding::severity);
    return fail(ErrorCode::Corrupt,
                "a stored manifest cannot be read: " + format_finding_line(*first));
  }
  out.document = document;
  out.hash = to_hex(sha256(to_canonical_json_text(out.document)));
  return out;
}

std::vector<DefaultTaken> defaults_taken(const Manifest& manifest) {
  std::vector<DefaultTaken> out;
  manifest::collect_defaults(manifest::shape_of(manifest.kind()),
                             manifest.document.if_contains("spec"), "spec", &out);
  return out;
}

const MetricSpec* built_in_metric(std::string_view name) {
  static const MetricSpec kProbe{.trust = Trust::Probe};
  static const MetricSpec kProbeLatency{
      .type = MetricType::Quantile, .unit = "ms", .trust = Trust::Probe};
  if (probe_of_metric(name)) return is_probe_latency(name) ? &kProbeLatency : &kProbe;
  static const std::map<std::string, MetricSpec, std::less<>> metrics = [] {
    std::map<std::string, MetricSpec, std::less<>> out;
    out["session.crashed"] = MetricSpec{};
    out["instance.start_failed"] = MetricSpec{};
    out["capacity.headroom"] = MetricSpec{.type = MetricType::Rate, .lower_is_better = false};
    return out;
  }();
  const auto found = metrics.find(name);
  return found == metrics.end() ? nullptr : &found->second;
}

std::vector<std::string> built_in_metric_names() {
  return {"capacity.headroom", "instance.start_failed", "session.crashed"};
}

std::optional<Kind> kind_from(std::string_view name) {
  for (int i = 0; i < kKinds; ++i) {
    const Kind kind = Kind(i);
    if (to_string(kind) == name) return kind;
  }
  return std::nullopt;
}

}  // namespace showcaller
