// SPDX-License-Identifier: Apache-2.0
// The API's backend over the host: JSON on one side, the published world, the desk and the journal
// on the other.
//
// Threads: any, as api_backend.h says.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "cli/serve/host_reviews.h"
#include "cli/serve/part_health.h"
#include "flow/flag_usage.h"
#include "flow/port/journal.h"
#include "host/host.h"
#include "wire/api_backend.h"

namespace showcaller {

struct HostBackendOptions {
  std::string version;
  std::string tzdata_version;
  Duration telemetry_every = seconds(1);  // told to reporters
  RehearsalShelf* rehearsals = nullptr;   // absent: none are kept
  const ServerParts* parts = nullptr;     // absent: nobody watches them
};

class HostBackend final : public ApiBackend {
 public:
  HostBackend(Host* host, Journal* journal, HostBackendOptions options)
      : host_(*host),
        journal_(*journal),
        options_(std::move(options)),
        reviews_(host, journal, options_.rehearsals),
        usage_(host->engine().wall()) {}

  Instant now() const override { return host_.engine().wall(); }
  Result<Actor> authenticate(std::string_view token) const override;
  Result<Actor> recognize(const Identity& person) const override;
  Status authorize(const Actor& actor, std::string_view verb,
                   std::string_view owner) const override;
  std::string owner_of(std::string_view kind, std::string_view name) const override;
  void submit(Command command, CommandReply reply) override;
  void submit_all(std::vector<Submission> commands) override;
  void settle() override { host_.settle(); }

  std::uint64_t last_seq() const override { return host_.world()->seq; }
  json::value status() const override;
  json::value events() const override;
  Result<json::value> event(std::string_view name) const override;
  json::value manifests(std::string_view kind) const override;
  Result<json::value> manifest(std::string_view kind, std::string_view name) const override;
  json::value fleets() const override;
  Result<json::value> fleet(std::string_view name) const override;
  json::value instances(std::string_view fleet) const override;
  json::value quarantines() const override;
  json::value alerts(std::string_view state) const override;
  Result<json::value> alert(std::string_view id) const override;
  json::value silences() const override;
  json::value dead_letters() const override;
  json::value objectives() const override;
  void test_route(std::string_view team, std::string_view route, RouteTested done) override;
  json::value probes() const override;
  json::value probes_of(std::string_view region) const override;
  json::value services() const override;
  Result<json::value> service(std::string_view name) const override;
  json::value drills() const override;
  Result<json::value> drill(std::string_view name) const override;
  json::value flag_list() const override;
  Result<json::value> config(std::string_view name) const override;
  json::value lines() const override;
  json::value tokens() const override;
  json::object readiness() const override;
  json::object health() const override;
  void heard_of_relay(const Actor& relay, std::string_view place) override;

  Result<json::value> allocate(const json::object& request, const TraceContext& trace) override;
  Status release(std::string_view session) override;
  Result<TelemetryReceipt> report(TelemetryBatch batch, const Actor& actor) override;
  Result<PointsReceipt> take_points(const DataPoints& points, const Actor& actor,
                                    const SenderBelow& below) override;
  ReviewBackend& review() override { return reviews_; }
  json::value relay_state() const override;
  void exposed_at_relay(std::vector<LedgerEntry> entries) override;
  FlagView flags(const Actor& actor) const override;
  void evaluated(const json::object& context, std::string_view flag) override;
  void answered(const FlagSet& flags, std::span<const std::uint32_t> answers) override;

  ManifestReading read_manifests(std::span<const SourceFile> files) const override;
  json::value validate(std::span<const SourceFile> files) const override;
  std::vector<Result<json::value>> dry_run(std::span<const Command> commands) const override;
  Result<json::value> plan(std::span<const SourceFile> files, const Actor& actor) const override;
  Result<json::value> history(const HistoryQuery& query) const override;
  Result<json::value> explain(std::string_view event) const override;
  json::value calendar() const override;
  Result<json::value> evidence(const EvidenceQuery& query) const override;
  Result<json::value> fleet_map(std::string_view fleet) const override;
  Result<json::value> fleet_demand(std::string_view fleet) const override;
  Result<json::value> evaluate_flag(std::string_view flag,
                                    const json::object& request) const override;
  Result<json::value> flag_document(std::string_view at) const override;
  Result<json::value> stale_flags(std::string_view after) const override;
  Result<json::value> ledger(std::string_view event, std::int64_t revision) const override;
  Result<json::value> admitted(std::string_view event, const json::object& request) override;
  Result<json::value> privacy_export(std::string_view player) override;
  Result<json::value> privacy_erase(std::string_view player, const Actor& actor) override;

 private:
  enum class FlagsFor { Servers, Clients };
  std::shared_ptr<const FlagSet> flag_set(FlagsFor whom) const;
  void count_reported(std::span<const TelemetryDelta> of_flags);
  Status check_history(const HistoryQuery& query) const;
  void show_ticks(json::array* decisions) const;
  json::object fleet_view_of(const std::string& name) const;
  json::object on_its_builds(const EventState& event) const;
  json::object forecast_of(const std::string& fleet) const;
  // Records whose text has one of the names; none: all.
  Status each_record_naming(const std::vector<std::string>& names, std::uint64_t from,
                            const std::function<bool(const Record&)>& sink) const;
  Status each_record_of(std::string_view event, std::uint64_t from,
                        const std::function<bool(const Record&)>& sink) const;

  Host& host_;
  Journal& journal_;
  HostBackendOptions options_;
  HostReviews reviews_;
  RelaySightings relays_;
  mutable std::mutex usage_mutex_;
  FlagUsage usage_;
  mutable std::mutex flags_mutex_;
  mutable std::string server_etag_, client_etag_;
  mutable std::shared_ptr<const FlagSet> server_flags_, client_flags_;
};

}  // namespace showcaller
