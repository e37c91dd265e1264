// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/host_backend.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include "base/suggest.h"
#include "cli/admitted_players.h"
#include "cli/flag/past_flags.h"
#include "cli/relay/relay_state.h"
#include "cli/serve/allocation_json.h"
#include "cli/serve/probe_view.h"
#include "codec/telemetry.h"
#include "compute/fleet_capacity.h"
#include "engine/config_versions.h"
#include "engine/dry_run.h"
#include "engine/explain.h"
#include "engine/exposure_share.h"
#include "engine/flag_facts.h"
#include "engine/known.h"
#include "engine/plan.h"
#include "engine/service_view.h"
#include "engine/stale_flags.h"
#include "engine/view.h"
#include "flow/stored_record.h"
#include "model/manifest/manifest.h"
#include "policy/access.h"

namespace showcaller {
namespace {

constexpr std::size_t kExplainRecordsMax = 5'000;
constexpr std::size_t kVerdictsWithTicks = 5, kTicksShown = 3;
constexpr std::size_t kLedgerRowsMax = 10'000;

std::unexpected<Error> no_such(std::string_view what, std::string_view name) {
  return fail(ErrorCode::NotFound, fmt::format("there is no {} '{}'", what, name));
}

json::object row_view(const BuildCounts& row) {
  return {{"build", row.build},
          {"region", row.region},
          {"desired", row.desired},
          {"starting", row.starting},
          {"ready", row.ready},
          {"allocated", row.allocated},
          {"draining", row.draining},
          {"unhealthy", row.unhealthy},
          {"quarantined", row.quarantined},
          {"sessions", row.sessions},
          {"free_sessions", row.free_sessions},
          {"draining_sessions", row.draining_sessions}};
}

std::string_view source_name(LedgerSource source) {
  switch (source) {
    case LedgerSource::Served:
      return "served";
    case LedgerSource::Reported:
      return "reported";
    case LedgerSource::Admitted:
      return "admitted";
  }
  return "served";
}

json::object ledger_row(const LedgerRow& row) {
  return {{"pseudonym", row.pseudonym},
          {"visit", row.visit},
          {"region", row.region},
          {"session", row.session},
          {"source", std::string(source_name(row.source))},
          {"at", format_instant(row.at)}};
}

// The last lines up to a verdict's mark; none where the stream does not have that mark.
json::array lines_up_to(EvidenceStore& store, const std::string& stream, const EvidenceMark& mark) {
  std::deque<std::string> lines;
  bool there = false;
  const Status read = store.read(stream, [&](std::string_view line, const EvidenceMark& at) {
    lines.emplace_back(line);
    if (lines.size() > kTicksShown) lines.pop_front();
    there = at.offset == mark.offset && at.hash == mark.hash;
    return at.offset < mark.offset;
  });
  json::array out;
  if (!read || !there) return out;
  for (const std::string& line : lines) {
    if (auto value = parse_json(line)) out.push_back(std::move(*value));
  }
  return out;
}

// A verdict names its visit: the stage's stream has the mark, or that of the watch after it.
json::array last_ticks(EvidenceStore& store, const json::object& basis) {
  EvidenceMark mark{.offset = get_int(basis, "offset"), .hash = {}};
  const auto hash = from_hex(get_string(basis, "hash"));
  if (!hash || hash->size() != mark.hash.size()) return {};
  std::copy(hash->begin(), hash->end(), mark.hash.begin());
  const std::string stream = get_string(basis, "stream");
  json::array ticks = lines_up_to(store, stream, mark);
  return ticks.empty() ? lines_up_to(store, stream + "-live", mark) : ticks;
}

}  // namespace

Result<Actor> HostBackend::authenticate(std::string_view token) const {
  return showcaller::authenticate(*host_.world(), token, now());
}

Result<Actor> HostBackend::recognize(const Identity& person) const {
  return showcaller::recognize(*host_.world(), person);
}

Status HostBackend::authorize(const Actor& actor, std::string_view verb,
                              std::string_view owner) const {
  return showcaller::authorize(*host_.world(), actor, verb, owner);
}

std::string HostBackend::owner_of(std::string_view kind, std::string_view name) const {
  const auto world = host_.world();
  if (kind == "LiveEvent") {
    const EventState* event = world->event(name);
    return event ? event->manifest->owner : std::string();
  }
  const StoredManifest* stored = world->manifests.find(fmt::format("{}/{}", kind, name));
  return stored ? stored->manifest->owner : std::string();
}

void HostBackend::submit(Command command, CommandReply reply) {
  Letter letter{std::move(command), std::move(reply)};
  if (const Status posted = host_.post(&letter); !posted)
    letter.reply(std::unexpected(posted.error()));
}

void HostBackend::submit_all(std::vector<Submission> commands) {
  std::vector<Letter> letters;
  letters.reserve(commands.size());
  for (Submission& each : commands)
    letters.push_back({std::move(each.command), std::move(each.reply)});
  host_.post_all(std::move(letters));
}

json::value HostBackend::status() const {
  const auto world = host_.world();
  return {{"version", options_.version},
          {"seq", world->seq},
          {"epoch", world->epoch},
          {"time", format_instant(now())},
          {"events", world->events.size()},
          {"manifests", world->manifests.size()},
          {"instances", world->instances.size()},
          {"lines_stopped", world->lines.size()},
          {"quarantines", world->quarantines.size()},
          {"alerts", world->alerts.size()},
          {"mailbox", host_.engine().waiting()},
          {"degraded", json::value_from(degradation_notes(*world))}};
}

json::value HostBackend::events() const {
  return events_view(*host_.world());
}

Result<json::value> HostBackend::event(std::string_view name) const {
  const auto world = host_.world();
  const EventState* event = world->event(name);
  if (!event) return no_such("LiveEvent", name);
  json::object out = event_view(*world, std::string(name), *event, host_.engine().now());
  if (is_over(event->phase)) return out;
  if (event->spec().changes_build()) out["now"] = on_its_builds(*event);
  json::array capacity;
  for (const std::string& fleet : fleets_needed(event->spec()))
    capacity.push_back(forecast_of(fleet));
  if (!capacity.empty()) out["capacity"] = std::move(capacity);
  return out;
}

json::value HostBackend::manifests(std::string_view kind) const {
  return manifests_view(*host_.world(), kind);
}

Result<json::value> HostBackend::manifest(std::string_view kind, std::string_view name) const {
  const auto world = host_.world();
  if (kind == "LiveEvent") {
    const EventState* event = world->event(name);
    if (!event) return no_such(kind, name);
    return manifest_view({event->manifest, event->revision});
  }
  const StoredManifest* stored = world->manifests.find(fmt::format("{}/{}", kind, name));
  if (!stored) return no_such(kind, name);
  return manifest_view(*stored);
}

json::object HostBackend::forecast_of(const std::string& fleet) const {
  return forecast_view(*host_.world(), host_.view_of(fleet), host_.engine().now());
}

json::object HostBackend::fleet_view_of(const std::string& name) const {
  const FleetView view = host_.view_of(name);
  json::array rows;
  for (const BuildCounts& row : view.rows) rows.push_back(row_view(row));
  const auto world = host_.world();
  const FleetSpec* spec = world->fleet(name);
  return {{"name", name},
          {"base", spec ? spec->base : std::string()},
          {"driver", spec ? spec->driver : std::string()},
          {"headroom_percent", double(view.headroom_ppm()) / 10'000},
          {"forecast", forecast_of(name)},
          {"total", row_view(view.total())},
          {"builds", std::move(rows)}};
}

json::value HostBackend::fleets() const {
  json::array out;
  const auto world = host_.world();
  world->manifests.each_from(std::string_view("Fleet/"),
                             [&](const std::string& key, const StoredManifest& stored) {
                               if (!key.starts_with("Fleet/")) return false;
                               out.push_back(fleet_view_of(stored.manifest->name));
                               return true;
                             });
  return out;
}

Result<json::value> HostBackend::fleet(std::string_view name) const {
  if (!host_.world()->fleet(name)) return no_such("Fleet", name);
  return fleet_view_of(std::string(name));
}

// The journal's view of each instance, and what was last observed of it.
json::value HostBackend::instances(std::string_view fleet) const {
  std::map<std::string, const ObservedInstance*> observed;
  const std::vector<FleetPass> passes = host_.fleets();
  for (const FleetPass& pass : passes) {
    for (const ObservedInstance& instance : *pass.instances)
      observed[instance_key(pass.fleet, instance.id)] = &instance;
  }
  json::array out = instances_view(*host_.world(), fleet);
  for (json::value& line : out) {
    json::object& object = line.as_object();
    const auto at =
        observed.find(instance_key(get_string(object, "fleet"), get_string(object, "id")));
    if (at == observed.end()) continue;
    const ObservedInstance& instance = *at->second;
    object["state"] = std::string(to_string(instance.state));
    object["address"] = instance.address;
    object["port"] = instance.ports.empty() ? 0 : instance.ports.front();
    object["players"] = instance.players;
    object["sessions_ended"] = instance.sessions_ended;
    if (instance.session) object["session"] = *instance.session;
    object["started_at"] = format_instant(instance.started_at);
  }
  return out;
}

json::value HostBackend::services() const {
  return services_view(*host_.world());
}

Result<json::value> HostBackend::service(std::string_view name) const {
  const auto world = host_.world();
  const std::string key(name);
  if (!world->service(name) && !world->services.find(key)) return no_such("Service", name);
  return service_view(*world, key);
}

json::value HostBackend::quarantines() const {
  return quarantines_view(*host_.world());
}
json::value HostBackend::probes() const {
  return probes_view(*host_.world(), host_.probes());
}
json::value HostBackend::probes_of(std::string_view region) const {
  return probe_work(*host_.world(), region);
}
json::value HostBackend::drills() const {
  return drills_view(*host_.world());
}
Result<json::value> HostBackend::drill(std::string_view name) const {
  const auto world = host_.world();
  const DrillRun* run = world->drills.find(name);
  if (!run) {
    return fail(
        ErrorCode::NotFound,
        fmt::format("no drill '{}' was played here; `showcaller get drills` lists those that "
                    "were",
                    name));
  }
  return drill_view(std::string(name), *run);
}
Result<json::value> HostBackend::config(std::string_view name) const {
  return config_view(*host_.world(), name);
}
json::value HostBackend::flag_list() const {
  return flags_view(*host_.world());
}
json::value HostBackend::lines() const {
  return lines_view(*host_.world());
}
json::value HostBackend::tokens() const {
  return tokens_view(*host_.world());
}

json::object HostBackend::readiness() const {
  const std::optional<Error> trouble = host_.engine().trouble();
  const bool deciding = !host_.engine().stopped() && !trouble;
  return {{"ready", deciding},
          {"checks", json::array{{{"name", "journal"},
                                  {"ok", deciding},
                                  {"detail", trouble ? trouble->message : "decides and writes"}}}}};
}

json::object HostBackend::health() const {
  const std::optional<Error> trouble = host_.engine().trouble();
  json::array parts{{{"name", "journal"},
                     {"kind", "journal"},
                     {"ok", !host_.engine().stopped() && !trouble},
                     {"detail", trouble ? trouble->message : "decides and writes"}}};
  if (options_.parts != nullptr) {
    parts.push_back(options_.parts->evidence->read("evidence", "evidence"));
    for (const auto& [name, health] : options_.parts->drivers)
      parts.push_back(health->read("driver", name));
  }
  relays_.read(now(), &parts);
  const bool ok = std::ranges::all_of(
      parts, [](const json::value& part) { return get_bool(part.get_object(), "ok"); });
  return {{"ok", ok}, {"parts", std::move(parts)}};
}

void HostBackend::heard_of_relay(const Actor& relay, std::string_view place) {
  relays_.heard(std::string(place.empty() ? relay.name : place), relay.name, now());
}

Result<json::value> HostBackend::allocate(const json::object& body, const TraceContext& trace) {
  TRY(AllocationRequest request, allocation_request(body));
  // The request's own span is told only where the caller has his trace recorded.
  request.traceparent = trace.sampled ? trace.traceparent() : trace.callers_traceparent();
  request.tracestate = trace.state;
  TRY(const Allocation allocation, host_.allocate(request));
  json::object answer = allocation_view(allocation);
  if (!request.traceparent.empty()) answer["traceparent"] = request.traceparent;
  if (!request.tracestate.empty()) answer["tracestate"] = request.tracestate;
  return answer;
}

Status HostBackend::release(std::string_view session) {
  if (!host_.release(std::string(session))) return no_such("session", session);
  return {};
}

Result<TelemetryReceipt> HostBackend::report(TelemetryBatch batch, const Actor& actor) {
  const auto flags_begin = std::ranges::stable_partition(
      batch.deltas, [](const auto& delta) { return delta.metric != metric::kFlagEvaluated; });
  const std::vector<TelemetryDelta> of_flags(std::make_move_iterator(flags_begin.begin()),
                                             std::make_move_iterator(flags_begin.end()));
  batch.deltas.erase(flags_begin.begin(), flags_begin.end());
  Report report;
  report.token = actor.name;
  report.source = actor.name + "/" + batch.source;
  report.sequence = std::uint64_t(std::max<std::int64_t>(batch.sequence, 0));
  // A token of a game server speaks for the server, and one of a prober as a probe at most; anybody
  // else is a client, whatever the batch claims.
  const bool server = speaks_for_a_server(*host_.world(), actor);
  const bool prober = authorize(actor, "probe", "").has_value();
  report.trust = server   ? batch.trust
                 : prober ? std::max(batch.trust, Trust::Probe)
                          : Trust::Client;
  for (TelemetryDelta& delta : batch.deltas) {
    ReportedDelta out;
    out.metric = std::move(delta.metric);
    out.instance = std::move(delta.instance);
    out.session = std::move(delta.session);
    out.event = std::move(delta.event);
    out.arm = delta.arm;
    out.unit = std::move(delta.unit);
    out.stratum = std::move(delta.stratum);
    out.n = delta.n;
    out.x = delta.x;
    out.histogram = std::move(delta.histogram);
    report.deltas.push_back(std::move(out));
  }
  TRY(const ReportReceipt counted, host_.report(report));
  if (!counted.repeated) count_reported(of_flags);
  TelemetryReceipt receipt{.repeated = counted.repeated,
                           .taken = counted.count(DeltaFate::Taken) + std::int64_t(of_flags.size()),
                           .report_every_ms = options_.telemetry_every.count()};
  for (std::size_t i = 1; i < kDeltaFates; ++i) {
    if (counted.deltas[i] > 0)
      receipt.dropped[std::string(to_string(DeltaFate(i)))] = counted.deltas[i];
  }
  return receipt;
}

Result<PointsReceipt> HostBackend::take_points(const DataPoints& points, const Actor& actor,
                                               const SenderBelow& below) {
  const bool server = below.server && speaks_for_a_server(*host_.world(), actor);
  const OtlpSender sender{actor.name, server ? Trust::Server : Trust::Client, below.name};
  TRY(const OtlpReceipt taken, host_.take_points(points, sender));
  PointsReceipt receipt{.points = {}, .deltas = {}, .rejected = taken.rejected(), .why = taken.why};
  for (std::size_t i = 0; i < kPointFates; ++i) {
    if (taken.points[i] > 0) receipt.points[std::string(to_string(PointFate(i)))] = taken.points[i];
  }
  for (std::size_t i = 0; i < kDeltaFates; ++i) {
    if (taken.deltas.deltas[i] > 0)
      receipt.deltas[std::string(to_string(DeltaFate(i)))] = taken.deltas.deltas[i];
  }
  return receipt;
}

json::value HostBackend::relay_state() const {
  RelayState state = relay_state_of(*host_.world(), now());
  state.reaches = *host_.flag_reaches();
  return relay_state_to_json(state);
}

void HostBackend::exposed_at_relay(std::vector<LedgerEntry> entries) {
  host_.exposed_at_relay(std::move(entries));
}

FlagView HostBackend::flags(const Actor& actor) const {
  const auto world = host_.world();
  // Rules and salts are for servers and for those who may read everything; clients get values.
  const bool whole = speaks_for_a_server(*world, actor) ||
                     showcaller::authorize(*world, actor, "read", "").has_value();
  return {flag_set(whole ? FlagsFor::Servers : FlagsFor::Clients), !whole};
}

std::shared_ptr<const FlagSet> HostBackend::flag_set(FlagsFor whom) const {
  const bool whole = whom == FlagsFor::Servers;
  const auto snapshot = host_.flags(whole ? FlagVisibility::Server : FlagVisibility::Client);
  std::lock_guard lock(flags_mutex_);
  auto& set = whole ? server_flags_ : client_flags_;
  auto& etag = whole ? server_etag_ : client_etag_;
  if (!set || etag != snapshot->etag) {
    auto compiled = FlagSet::compile(snapshot->document);
    if (compiled)
      set = std::make_shared<const FlagSet>(std::move(*compiled));
    else if (!set)
      set = std::make_shared<const FlagSet>();
    etag =
        snapshot->etag;  // One that does not compile is not tried again: the last good one stands.
  }
  return set;
}

void HostBackend::evaluated(const json::object& context, std::string_view flag) {
  host_.evaluated(context, flag);
}

void HostBackend::answered(const FlagSet& flags, std::span<const std::uint32_t> answers) {
  const Instant at = now();
  std::lock_guard lock(usage_mutex_);
  for (const std::uint32_t number : answers) {
    const FlagSet::Answer answer = flags.answer(number);
    usage_.note(answer.key, answer.variant, 1, at);
  }
}

// "flag.evaluated" with the stratum "KEY=VARIANT" is about flags, not about a stage.
void HostBackend::count_reported(std::span<const TelemetryDelta> of_flags) {
  const auto set = flag_set(FlagsFor::Servers);
  const Instant at = now();
  std::lock_guard lock(usage_mutex_);
  for (const TelemetryDelta& delta : of_flags) {
    const std::string_view stratum = delta.stratum;
    const std::size_t sign = std::min(stratum.find('='), stratum.size());
    const std::string_view key = stratum.substr(0, sign);
    if (set->contains(key))
      usage_.note(key, stratum.substr(std::min(sign + 1, stratum.size())), delta.n, at);
  }
}

Result<json::value> HostBackend::stale_flags(std::string_view after) const {
  Duration days = hours(24 * 30);
  if (!after.empty()) {
    TRY(days, parse_duration(after));
  }
  const auto world = host_.world();
  TRY(const auto past, flag_pasts(*world, journal_));
  std::lock_guard lock(usage_mutex_);
  return showcaller::stale_flags({*world, usage_, past, days, now()});
}

ManifestReading HostBackend::read_manifests(std::span<const SourceFile> files) const {
  ParseOptions options;
  options.known = known_manifests(host_.world());
  options.tzdata_version = options_.tzdata_version;
  ParseOutcome parsed = parse_manifests(files, options);
  ManifestReading out;
  out.ok = parsed.ok();
  out.findings = findings_to_json(parsed.findings);
  if (!out.ok) return out;
  for (Manifest& manifest : parsed.manifests)
    out.manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  return out;
}

json::value HostBackend::validate(std::span<const SourceFile> files) const {
  const ManifestReading reading = read_manifests(files);
  return {{"ok", reading.ok}, {"findings", reading.findings}};
}

Result<json::value> HostBackend::plan(std::span<const SourceFile> files, const Actor& actor) const {
  const ManifestReading reading = read_manifests(files);
  if (!reading.ok) return json::value{{"ok", false}, {"findings", reading.findings}};
  json::object out =
      plan_of(*host_.world(), {reading.manifests, actor, host_.plan_facts()}, host_.engine().now());
  out["ok"] = true;
  out["findings"] = reading.findings;
  return out;
}

std::vector<Result<json::value>> HostBackend::dry_run(std::span<const Command> commands) const {
  const PlanFacts facts = host_.plan_facts();
  World world = *host_.world();
  std::vector<Result<json::value>> out;
  for (const Command& command : commands) {
    auto tried = showcaller::dry_run(world, command, host_.engine().now());
    if (!tried) {
      out.push_back(std::unexpected(tried.error()));
      continue;
    }
    out.push_back(dry_run_view(world, *tried, facts));
    world = std::move(tried->after);
  }
  return out;
}

Status HostBackend::each_record_of(std::string_view event, std::uint64_t from,
                                   const std::function<bool(const Record&)>& sink) const {
  if (event.empty()) return each_record_naming({}, from, sink);
  return each_record_naming({std::string(event)}, from, [&](const Record& record) {
    return event_of(record.payload) != event || sink(record);
  });
}

Status HostBackend::each_record_naming(const std::vector<std::string>& names, std::uint64_t from,
                                       const std::function<bool(const Record&)>& sink) const {
  Status decoded;
  TRY(journal_.read(from, [&](const StoredRecord& stored) {
    // Most records are of others: look before parsing.
    const bool names_one = names.empty() || std::ranges::any_of(names, [&](const auto& name) {
                             return stored.bytes.find(name) != std::string::npos;
                           });
    if (!names_one) return true;
    auto record = decode_stored(stored);
    if (!record) {
      decoded = std::unexpected(record.error());
      return false;
    }
    return sink(*record);
  }));
  return decoded;
}

Status HostBackend::check_history(const HistoryQuery& query) const {
  if (!query.event.empty() && !host_.world()->event(query.event))
    return no_such("LiveEvent", query.event);
  std::vector<std::string> kinds;
  for (const RecordKindRow& row : kRecordKinds) kinds.emplace_back(row.name);
  if (query.kind.empty() || std::find(kinds.begin(), kinds.end(), query.kind) != kinds.end())
    return {};
  const auto near = nearest_word(query.kind, kinds);
  return fail(ErrorCode::Invalid,
              fmt::format("there is no kind of record '{}'{}", query.kind,
                          near ? fmt::format("; did you mean '{}'?", *near)
                               : fmt::format("; there are {}", fmt::join(kinds, ", "))));
}

Result<json::value> HostBackend::history(const HistoryQuery& query) const {
  TRY(check_history(query));
  json::array records;
  json::value next;
  TRY(each_record_of(query.event, query.from_seq, [&](const Record& record) {
    if (query.to_seq != 0 && record.seq > query.to_seq) return false;
    if (!query.kind.empty() && record.kind().name != query.kind) return true;
    if (records.size() >= query.limit) {
      next = record.seq;
      return false;
    }
    json::object line = record_view(record);
    line["line"] = record_line(record);
    records.push_back(std::move(line));
    return true;
  }));
  return json::value{{"records", std::move(records)}, {"next", std::move(next)}};
}

Result<json::value> HostBackend::explain(std::string_view name) const {
  const auto world = host_.world();
  const EventState* event = world->event(name);
  if (!event) return no_such("LiveEvent", name);
  const std::vector<std::string> flags = flags_of(event->spec());
  std::vector<std::string> names = flags;
  names.emplace_back(name);
  std::deque<Record> newest;
  std::size_t left_out = 0;
  TRY(each_record_naming(names, event->applied_seq, [&](const Record& record) {
    if (!is_a_decision(record.payload) || !concerns_event(record.payload, name, flags)) return true;
    newest.push_back(record);
    if (newest.size() > kExplainRecordsMax) {
      newest.pop_front();
      ++left_out;
    }
    return true;
  }));
  const std::vector<Record> records(newest.begin(), newest.end());
  json::object out = explanation_of(*world, std::string(name), records, host_.engine().now());
  if (left_out > 0) {
    out["summary"].as_array().push_back(json::value(
        fmt::format("{} older decisions are not shown; showcaller history --event {} --from {}",
                    left_out, name, event->applied_seq)));
  }
  show_ticks(&out["decisions"].as_array());
  return out;
}

Result<json::value> HostBackend::evaluate_flag(std::string_view flag,
                                               const json::object& request) const {
  const auto world = host_.world();
  const auto salt_of = [this](const std::string& event) { return host_.salt_of(event); };
  return PastFlags{*world, journal_, salt_of, now()}.evaluate(flag, request);
}

Result<json::value> HostBackend::flag_document(std::string_view at) const {
  const auto world = host_.world();
  const auto salt_of = [this](const std::string& event) { return host_.salt_of(event); };
  return PastFlags{*world, journal_, salt_of, now()}.document(at);
}

// The newest verdicts with the ticks they rest on: what was counted, not only what came of it.
void HostBackend::show_ticks(json::array* decisions) const {
  std::size_t shown = 0;
  for (auto at = decisions->rbegin(); at != decisions->rend() && shown < kVerdictsWithTicks; ++at) {
    json::value* evidence = at->as_object().if_contains("evidence");
    if (!evidence) continue;
    ++shown;
    json::object& basis = evidence->as_object();
    json::array ticks = last_ticks(host_.evidence(), basis);
    if (ticks.empty()) basis["missing"] = "the evidence is not kept any more";
    basis["ticks"] = std::move(ticks);
  }
}

Result<json::value> HostBackend::ledger(std::string_view name, std::int64_t revision) const {
  const auto world = host_.world();
  const EventState* event = world->event(name);
  if (!event) return no_such("LiveEvent", name);
  if (revision == 0) revision = event->revision;
  json::array rows;
  TRY(host_.ledger().read(name, revision, [&](const LedgerRow& row) {
    rows.push_back(ledger_row(row));
    return rows.size() < kLedgerRowsMax;
  }));
  TRY(const LedgerSeal seal, host_.ledger().seal(name, revision));
  json::array bounds;
  if (event->bounds) {
    for (std::string& note : bounds_notes(*event->bounds)) bounds.emplace_back(std::move(note));
  }
  return json::value{{"event", name},     {"revision", revision},        {"count", seal.rows},
                     {"root", seal.root}, {"bounds", std::move(bounds)}, {"rows", std::move(rows)}};
}

Result<json::value> HostBackend::admitted(std::string_view event, const json::object& body) {
  TRY(const AdmittedRequest request, admitted_request(*host_.world(), event, body));
  AdmissionHistory history(request.revision.event, request.revision.revision,
                           host_.salt_of(request.revision.event));
  Status folded;
  TRY(each_record_of(event, 1, [&](const Record& record) {
    folded = history.add(record);
    return folded.has_value();
  }));
  TRY(folded);
  const AdmittedPlayers found = admitted_players(request, history);
  TRY(host_.add_admitted(request.revision, found.rows));
  return found.answer;
}

Result<json::value> HostBackend::privacy_export(std::string_view player) {
  json::array rows;
  TRY(host_.ledger().export_player(
      player, [&](std::string_view event, std::int64_t revision, const LedgerRow& row) {
        json::object line = ledger_row(row);
        line["event"] = event;
        line["revision"] = revision;
        rows.push_back(std::move(line));
      }));
  return json::value{{"player", player}, {"rows", std::move(rows)}};
}

Result<json::value> HostBackend::privacy_erase(std::string_view player, const Actor&) {
  TRY(host_.ledger().erase_player(player));
  return json::value{{"player", player}, {"erased", true}};
}

}  // namespace showcaller
