// SPDX-License-Identifier: Apache-2.0
// A program behind the API that answers from memory, and keeps what it was asked.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "wire/api_backend.h"

namespace showcaller {

class FakeReviews final : public ReviewBackend {
 public:
  mutable DecisionSearch searched;

  Result<json::value> decisions(const DecisionSearch& search) const override {
    searched = search;
    return json::object{{"decisions", json::array()}, {"next", nullptr}};
  }
  Result<json::value> decision(std::uint64_t seq) const override {
    return json::object{{"seq", seq}};
  }
  Result<json::value> incidents() const override { return json::array(); }
  Result<json::value> incident(std::uint64_t id) const override { return json::object{{"id", id}}; }
  json::value policy() const override { return json::object(); }
  Result<json::value> publish_rehearsal(const json::object&, const Actor& actor) override {
    return json::object{{"id", actor.name}};
  }
  Result<json::value> rehearsals() const override { return json::array(); }
  Result<json::value> rehearsal(const std::string& id) const override {
    return json::object{{"id", id}};
  }
};

// Tokens are names: "alice" is alice, operator; "viewer" may only read; "raider"
// may read what is of team-raids; "root" may all. Events:
// "winter-raid", of team-raids. A command for the event "late" is answered by flush().
class FakeBackend : public ApiBackend {
 public:
  std::vector<Command> commands() const {
    std::lock_guard lock(mutex_);
    return commands_;
  }
  std::string last_text;
  std::atomic<bool> is_ready = true;
  std::atomic<bool> full = false;
  std::atomic<bool> viewer_revoked = false;
  std::atomic<std::uint64_t> seq = 0;

  void flush() {
    std::vector<CommandReply> waiting;
    {
      std::lock_guard lock(mutex_);
      waiting.swap(waiting_);
    }
    for (auto& reply : waiting) reply(Receipt{.seq = 99, .repeated = false, .notes = {}});
  }
  std::size_t waiting() const {
    std::lock_guard lock(mutex_);
    return waiting_.size();
  }

  Instant now() const override { return instant_ms(1'000'000); }

  Result<Actor> authenticate(std::string_view token) const override {
    if (token.empty())
      return fail(ErrorCode::Unauthenticated, "no token was sent; send one as a bearer");
    if (token == "root") return Actor{"root", {"admin"}};
    if (token == "viewer" && !viewer_revoked) return Actor{"viewer", {"viewer"}};
    if (token == "client") return Actor{"client", {"client"}};
    if (token == "raider") return Actor{"raider", {"raid-reader"}};
    if (token == "alice") return Actor{"alice", {"operator"}};
    return fail(ErrorCode::Unauthenticated, "the token is not known; ask for a new one");
  }

  SenderBelow sender_of_points() const {
    std::lock_guard lock(mutex_);
    return sender_of_points_;
  }
  std::set<std::string> relays_heard() const {
    std::lock_guard lock(mutex_);
    return relays_heard_;
  }

  Result<Actor> recognize(const Identity& person) const override {
    if (std::ranges::find(person.groups, "live-ops") != person.groups.end() && !viewer_revoked)
      return Actor{person.name, {"viewer"}};
    return fail(ErrorCode::Unauthenticated, "no policy gives them a role; ask an admin");
  }

  Status authorize(const Actor& actor, std::string_view verb,
                   std::string_view owner) const override {
    if (actor.name == "raider") {
      if (verb == "read" && owner == "team-raids") return {};
      return fail(ErrorCode::Forbidden, "that is not of team-raids; ask an admin");
    }
    if (actor.name == "root" || verb == "read" ||
        (actor.name == "alice" && verb != "token" && verb != "privacy"))
      return {};
    if (actor.name == "client" && verb == "flags") return {};
    return fail(ErrorCode::Forbidden, std::string(verb) + " is not for you; ask an admin");
  }
  std::string owner_of(std::string_view, std::string_view name) const override {
    return name == "winter-raid" || name == "raid" ? "team-raids" : "team-other";
  }

  void submit(Command command, CommandReply reply) override {
    if (full) return reply(fail(ErrorCode::Limit, "the mailbox is full; try again later"));
    std::unique_lock lock(mutex_);
    const auto* event = std::get_if<EventCommand>(&command.body);
    const std::string name = event != nullptr ? event->event : "";
    const bool repeated = !command.key.empty() && !keys_.insert(command.key).second;
    commands_.push_back(std::move(command));
    const auto seq = commands_.size();
    if (name == "late") {
      waiting_.push_back(std::move(reply));
      return;
    }
    lock.unlock();
    if (name == "missing")
      return reply(
          fail(ErrorCode::NotFound, "there is no event 'missing'; see `showcaller get events`"));
    reply(Receipt{.seq = seq, .repeated = repeated, .notes = {"noted"}});
  }

  std::vector<Result<json::value>> dry_run(std::span<const Command> commands) const override {
    std::vector<Result<json::value>> out;
    for (const Command& command : commands) {
      const auto* event = std::get_if<EventCommand>(&command.body);
      if (event && event->event == "missing")
        out.push_back(fail(ErrorCode::NotFound, "there is no event 'missing'"));
      else
        out.push_back(json::object{{"dry_run", true}, {"verb", verb_of(command.body)}});
    }
    return out;
  }
  FakeReviews reviews;
  ReviewBackend& review() override { return reviews; }
  void settle() override {}
  void submit_all(std::vector<Submission> commands) override {
    for (Submission& each : commands) submit(std::move(each.command), std::move(each.reply));
  }

  std::uint64_t last_seq() const override { return seq; }
  json::value status() const override { return json::object{{"seq", 7}}; }
  json::value events() const override { return json::array{json::object{{"name", "winter-raid"}}}; }
  Result<json::value> event(std::string_view name) const override {
    if (name != "winter-raid") return fail(ErrorCode::NotFound, "there is no such event");
    return json::object{{"name", name}, {"revision", 1}, {"phase", "live"}};
  }
  json::value manifests(std::string_view kind) const override {
    return json::array{json::object{{"kind", kind}}};
  }
  Result<json::value> manifest(std::string_view kind, std::string_view name) const override {
    return json::object{{"kind", kind}, {"name", name}};
  }
  json::value fleets() const override { return json::array(); }
  Result<json::value> fleet(std::string_view name) const override {
    return json::object{{"name", name}};
  }
  json::value instances(std::string_view fleet) const override {
    return json::array{json::object{{"fleet", fleet}}};
  }
  json::value calendar() const override { return json::object(); }
  Result<json::value> evidence(const EvidenceQuery& query) const override {
    return json::object{{"event", query.event},
                        {"revision", query.revision},
                        {"visit", query.visit},
                        {"live", query.live}};
  }
  Result<json::value> fleet_map(std::string_view name) const override {
    return json::object{{"fleet", name}};
  }
  Result<json::value> fleet_demand(std::string_view name) const override {
    return json::object{{"fleet", name}};
  }
  json::value quarantines() const override { return json::array(); }
  json::value alerts(std::string_view) const override { return json::array(); }
  Result<json::value> alert(std::string_view id) const override {
    return fail(ErrorCode::NotFound, "there is no alert '" + std::string(id) + "'");
  }
  json::value silences() const override { return json::array(); }
  json::value dead_letters() const override { return json::array(); }
  json::value objectives() const override { return json::array(); }
  void test_route(std::string_view, std::string_view route, RouteTested done) override {
    done(json::object{{"delivered", true}, {"detail", route}});
  }
  json::value probes() const override { return json::array(); }
  json::value probes_of(std::string_view region) const override {
    return json::array{json::string(region)};
  }
  json::value services() const override { return json::array(); }
  Result<json::value> service(std::string_view name) const override {
    return json::object{{"service", name}};
  }
  json::value drills() const override { return json::array(); }
  Result<json::value> drill(std::string_view name) const override {
    return json::object{{"drill", name}};
  }
  json::value flag_list() const override { return json::array(); }
  Result<json::value> config(std::string_view name) const override {
    return json::value{{"config", name}, {"version", 1}, {"versions", json::array()}};
  }
  Result<json::value> evaluate_flag(std::string_view, const json::object&) const override {
    return json::value{{"reason", "STATIC"}};
  }
  Result<json::value> stale_flags(std::string_view) const override {
    return json::value{{"flags", json::array()}};
  }
  Result<json::value> flag_document(std::string_view) const override {
    return json::value{{"flags", json::object()}};
  }
  json::value lines() const override { return json::array(); }
  json::value tokens() const override { return json::array(); }
  json::object readiness() const override {
    return {{"ready", is_ready.load()}, {"checks", json::array()}};
  }
  json::object health() const override {
    return {{"ok", is_ready.load()}, {"parts", json::array()}};
  }
  void heard_of_relay(const Actor& relay, std::string_view place) override {
    std::lock_guard lock(mutex_);
    relays_heard_.insert(relay.name + " at " + std::string(place));
  }

  Result<json::value> allocate(const json::object& request, const TraceContext&) override {
    return json::object{{"session", get_string(request, "session")}, {"instance", "raid-1"}};
  }
  Status release(std::string_view session) override {
    if (session == "gone") return fail(ErrorCode::NotFound, "there is no such session");
    return {};
  }
  Result<PointsReceipt> take_points(const DataPoints& points, const Actor&,
                                    const SenderBelow& below) override {
    {
      std::lock_guard lock(mutex_);
      sender_of_points_ = below;
    }
    if (push_back) return fail(ErrorCode::Limit, "the evidence of this tick is full; wait");
    points_taken += points.points;
    return points_receipt;
  }
  Result<TelemetryReceipt> report(TelemetryBatch batch, const Actor&) override {
    if (batch.source == "too much")
      return fail(ErrorCode::Limit, "the intake is full; send less, later");
    return TelemetryReceipt{.taken = 1, .dropped = {{"no_stage", 2}}, .report_every_ms = 1000};
  }
  void evaluated(const json::object& context, std::string_view flag) override {
    const std::lock_guard lock(evaluations_mutex);
    evaluations.push_back(get_string(context, "targetingKey") + " " + std::string(flag));
  }
  void answered(const FlagSet& flags, std::span<const std::uint32_t> answers) override {
    const std::lock_guard lock(evaluations_mutex);
    for (const std::uint32_t number : answers) {
      const FlagSet::Answer answer = flags.answer(number);
      answers_given.push_back(std::string(answer.key) + "=" + std::string(answer.variant));
    }
  }
  std::vector<std::string> answers_given;
  std::size_t points_taken = 0;
  PointsReceipt points_receipt;
  std::atomic<bool> push_back = false;
  std::mutex evaluations_mutex;
  std::vector<std::string> evaluations;
  FlagView flags(const Actor& actor) const override { return {flag_set, actor.name == "client"}; }
  json::value relay_state() const override { return json::object{{"flags", json::object()}}; }
  void exposed_at_relay(std::vector<LedgerEntry> entries) override {
    exposed.insert(exposed.end(), entries.begin(), entries.end());
  }
  std::vector<LedgerEntry> exposed;
  std::shared_ptr<const FlagSet> flag_set;

  ManifestReading read_manifests(std::span<const SourceFile> files) const override {
    for (const SourceFile& file : files) {
      if (file.text.find("bad") == file.text.npos) continue;
      return {{},
              {json::object{{"severity", "error"}, {"file", file.name}, {"message", "bad"}}},
              false};
    }
    auto manifest = std::make_shared<Manifest>();
    manifest->name = "crew";
    manifest->hash = "abc";
    return {{manifest}, {}, true};
  }
  json::value validate(std::span<const SourceFile> files) const override {
    json::object out{{"ok", true}};
    for (const SourceFile& file : files) out[file.name] = file.text.size();
    return out;
  }
  Result<json::value> plan(std::span<const SourceFile>, const Actor& actor) const override {
    return json::object{{"by", actor.name}};
  }
  Result<json::value> history(const HistoryQuery& query) const override {
    return json::object{{"records", json::array()},
                        {"next", nullptr},
                        {"from", query.from_seq},
                        {"limit", query.limit},
                        {"event", query.event}};
  }
  Result<json::value> explain(std::string_view event) const override {
    return json::object{{"event", event}};
  }
  Result<json::value> ledger(std::string_view event, std::int64_t revision) const override {
    return json::object{{"event", event}, {"revision", revision}};
  }
  Result<json::value> admitted(std::string_view event, const json::object& request) override {
    return json::object{{"event", event}, {"asked", request.at("players").as_array().size()}};
  }
  Result<json::value> privacy_export(std::string_view player) override {
    return json::object{{"player", player}};
  }
  Result<json::value> privacy_erase(std::string_view player, const Actor&) override {
    return json::object{{"erased", player}};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Command> commands_;
  std::vector<CommandReply> waiting_;
  std::set<std::string> keys_;
  std::set<std::string> relays_heard_;
  SenderBelow sender_of_points_;
};

}  // namespace showcaller
