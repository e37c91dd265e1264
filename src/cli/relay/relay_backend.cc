// SPDX-License-Identifier: Apache-2.0
#include "cli/relay/relay_backend.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "cli/relay/relay_exports.h"
#include "sdk/state_file.h"
#include "wire/relay_routes.h"

namespace showcaller {
namespace {

bool owners_allow(const std::vector<std::string>& owners, std::string_view owner) {
  return std::ranges::any_of(owners, [&](const std::string& each) {
    return each == "*" || (!owner.empty() && each == owner);
  });
}

const json::object& flags_in(const json::object& document) {
  static const json::object kNone;
  const json::value* flags = get_if(document, "flags");
  return flags != nullptr && flags->is_object() ? flags->get_object() : kNone;
}

// The document with what is killed here.
json::object with_switches(json::object document, const RelayState& state,
                           const FlagSwitchboard& switches) {
  json::value* flags = document.if_contains("flags");
  if (flags == nullptr || !flags->is_object()) return document;
  for (auto& [key, definition] : flags->get_object()) {
    const FlagSwitch by = switches.of(key);
    if (!by.off || !definition.is_object()) continue;
    const auto known = state.flags.find(std::string_view(key));
    const std::string off = known != state.flags.end() ? known->second.off : "";
    definition = killed_flag(std::move(definition.get_object()), off, by);
  }
  return document;
}

json::object visible_of(const json::object& document, const RelayState& state) {
  json::object out = document;
  json::object& flags = out["flags"].emplace_object();
  for (const auto& [key, definition] : flags_in(document)) {
    const auto known = state.flags.find(std::string_view(key));
    if (known != state.flags.end() && known->second.client) flags.emplace(key, definition);
  }
  return out;
}

void compile_into(std::shared_ptr<const FlagSet>* set, json::object document) {
  auto compiled = FlagSet::compile(std::move(document));
  if (compiled && compiled->fingerprint() != (*set)->fingerprint())
    *set = std::make_shared<const FlagSet>(*std::move(compiled));
}

}  // namespace

RelayBackend::RelayBackend(RelayBackendOptions options)
    : options_(std::move(options)),
      batches_(options_.spool_bytes_max, options_.spool_batches_max),
      exposures_(options_.spool_bytes_max, options_.exposures_max),
      exports_(options_.exports_bytes_max, options_.exports_max) {}

Status RelayBackend::load() {
  TRY(sdk::SavedFlags saved, sdk::load_saved_flags(options_.state_file));
  const json::object* object = saved.document.if_object();
  if (object == nullptr) return fail(ErrorCode::Corrupt, options_.state_file + " holds no state");
  const std::lock_guard lock(mutex_);
  if (const json::value* state = get_if(*object, "state")) {
    TRY(state_, relay_state_from_json(*state));
    reaches_ = std::make_shared<const EventReaches>(state_.reaches);
  }
  if (const json::value* switches = get_if(*object, "switches");
      switches && switches->is_object()) {
    TRY(switches_, FlagSwitchboard::from_json(switches->get_object()));
  }
  if (const json::value* document = get_if(*object, "document"); document && document->is_object())
    document_ = document->get_object();
  publish();
  return {};
}

// With the lock. Nobody sees what is not on the disk: a kill must outlast the relay.
void RelayBackend::publish() {
  if (!options_.state_file.empty()) {
    saved_ =
        sdk::save_flags(options_.state_file, {.etag = "",
                                              .document = {{"document", document_},
                                                           {"state", relay_state_to_json(state_)},
                                                           {"switches", switches_.to_json()}}});
  }
  if (document_.empty()) return;
  const json::object whole = with_switches(document_, state_, switches_);
  compile_into(&visible_, visible_of(whole, state_));
  compile_into(&whole_, whole);
}

void RelayBackend::take_flags(json::value document) {
  if (!document.is_object()) return;
  {
    const std::lock_guard lock(mutex_);
    document_ = std::move(document.get_object());
    states_awaited_ = 2;
    publish();
  }
  options_.on_flags_changed();
}

void RelayBackend::take_state(RelayState state) {
  SharedReaches reaches;
  std::vector<Unsettled> unsettled;
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    is_news = relay_state_to_json(state) != relay_state_to_json(state_);
    reaches_before_ = reaches_;
    if (is_news) {
      for (const auto& [key, flag] : state.flags) {
        if (flag.kill) switches_.hear_from_above(key, *flag.kill);
      }
      state_ = std::move(state);
      reaches_ = std::make_shared<const EventReaches>(state_.reaches);
      publish();
    }
    reaches = reaches_;
    states_awaited_ = std::max(0, states_awaited_ - 1);
    if (states_awaited_ == 0)
      unsettled = std::exchange(unsettled_, {});
    else
      unsettled = unsettled_;
  }
  for (const Unsettled& each : unsettled) {
    for (const LedgerEntry& entry : exposures_of(*reaches, each.context, each.flag, each.at))
      tell(entry);
  }
  if (is_news) options_.on_flags_changed();
}

void RelayBackend::told(const std::vector<FlagMoves>& moves) {
  const std::lock_guard lock(mutex_);
  switches_.told(moves);
  publish();
}

const RelayToken* RelayBackend::token_of(const Actor& actor) const {
  const auto found = std::ranges::find_if(
      state_.tokens, [&](const auto& each) { return each.second.name == actor.name; });
  return found != state_.tokens.end() ? &found->second : nullptr;
}

Result<Actor> RelayBackend::authenticate(std::string_view token) const {
  if (token.empty())
    return fail(ErrorCode::Unauthenticated, "no token was sent; send one as a bearer");
  const std::string hash = to_hex(sha256(token));
  const std::lock_guard lock(mutex_);
  const auto found = state_.tokens.find(hash);
  if (found == state_.tokens.end()) {
    return fail(ErrorCode::Unauthenticated,
                "the token is not known at this relay; it knows those that its server had when "
                "it last answered");
  }
  const RelayToken& known = found->second;
  if (known.expires != Instant{} && known.expires <= now()) {
    return fail(ErrorCode::Unauthenticated,
                fmt::format("the token '{}' expired at {}; have a new one made", known.name,
                            format_instant(known.expires)));
  }
  return Actor{known.name, known.roles};
}

Status RelayBackend::authorize(const Actor& actor, std::string_view verb,
                               std::string_view owner) const {
  const std::lock_guard lock(mutex_);
  const RelayToken* token = token_of(actor);
  const bool allowed =
      token != nullptr && (verb == "kill-flag"     ? owners_allow(token->kill, owner)
                           : verb == "reopen-flag" ? owners_allow(token->reopen, owner)
                                                   : token->may(verb));
  if (allowed) return {};
  return fail(ErrorCode::Forbidden,
              fmt::format("'{}' may not '{}' here; ask who gives roles", actor.name, verb));
}

Result<TelemetryReceipt> RelayBackend::report(TelemetryBatch batch, const Actor& actor) {
  {
    const std::lock_guard lock(mutex_);
    const RelayToken* token = token_of(actor);
    if (token == nullptr || !token->server) batch.trust = Trust::Client;
  }
  // Two senders may have chosen one name: theirs are told apart as the server would.
  batch.source = actor.name + "/" + batch.source;
  const auto taken = std::int64_t(batch.deltas.size());
  batches_.push(encode_telemetry(batch));
  return TelemetryReceipt{.taken = taken, .report_every_ms = 1'000};
}

void RelayBackend::take_export(OtlpExport taken, const Actor& actor) {
  {
    const std::lock_guard lock(mutex_);
    const RelayToken* token = token_of(actor);
    taken.sender.server = taken.sender.server && token != nullptr && token->server;
  }
  // Two senders below may have chosen one name, and say the same of themselves.
  taken.sender.name = actor.name + (taken.sender.name.empty() ? "" : "/" + taken.sender.name);
  exports_.push(to_line(taken));
}

FlagView RelayBackend::flags(const Actor& actor) const {
  const std::lock_guard lock(mutex_);
  const RelayToken* token = token_of(actor);
  const bool whole = token != nullptr && (token->server || token->may("read"));
  return {whole ? whole_ : visible_, !whole};
}

void RelayBackend::evaluated(const json::object& context, std::string_view flag) {
  if (get_string(context, kTargetingKey).empty()) return;  // The ledger would not know whom.
  const Instant at = now();
  SharedReaches reaches, before;
  {
    const std::lock_guard lock(mutex_);
    reaches = reaches_;
    before = reaches_before_;
    if (states_awaited_ > 0 && unsettled_.size() < options_.exposures_max)
      unsettled_.push_back({context, std::string(flag), at});
    else if (states_awaited_ > 0)
      ++unsettled_dropped_;
  }
  for (const LedgerEntry& entry : exposures_of(*reaches, context, flag, at)) tell(entry);
  if (before == reaches) return;
  for (const LedgerEntry& entry : exposures_of(*before, context, flag, at)) tell(entry);
}

void RelayBackend::exposed(const std::vector<LedgerEntry>& entries) {
  for (const LedgerEntry& entry : entries) tell(entry);
}

void RelayBackend::tell(const LedgerEntry& exposure) {
  json::object told = relayed_exposure(exposure);
  const json::value at = std::exchange(told["at"], nullptr);
  const std::uint64_t who = hash64(to_json_text(told));
  {
    const std::lock_guard lock(mutex_);
    if (noted_.size() >= options_.exposures_max) noted_.clear();
    if (!noted_.insert(who).second) return;
  }
  told["at"] = at;
  exposures_.push(to_json_text(told));
}

void RelayBackend::answered(const FlagSet& flags, std::span<const std::uint32_t> answers) {
  const std::lock_guard lock(mutex_);
  for (const std::uint32_t number : answers) {
    const FlagSet::Answer answer = flags.answer(number);
    if (answer.key.contains('=')) continue;  // It could not be told from the variant.
    std::pair name{std::string(answer.key), std::string(answer.variant)};
    if (counted_.size() < options_.counted_max || counted_.contains(name))
      ++counted_[std::move(name)];
    else
      ++uncounted_;
  }
}

void RelayBackend::report_answers() {
  TelemetryBatch batch{.source = "relay-" + options_.run, .trust = Trust::Server};
  {
    const std::lock_guard lock(mutex_);
    if (counted_.empty()) return;
    batch.sequence = ++reports_of_answers_;
    batch.dropped = std::exchange(uncounted_, 0);
    for (const auto& [name, times] : std::exchange(counted_, {})) {
      batch.deltas.push_back({.metric = std::string(metric::kFlagEvaluated),
                              .stratum = name.first + "=" + name.second,
                              .n = times});
    }
  }
  batches_.push(encode_telemetry(batch));
}

bool RelayBackend::killed_above(std::string_view flag) const {
  const json::value* definition = get_if(flags_in(document_), flag);
  const json::object* object = definition != nullptr ? definition->if_object() : nullptr;
  const json::value* metadata = object != nullptr ? get_if(*object, "metadata") : nullptr;
  return metadata != nullptr && metadata->is_object() && get_bool(metadata->get_object(), "killed");
}

Result<std::vector<std::string>> RelayBackend::move_switch(const Actor& actor,
                                                           const std::string& flag, bool reopen,
                                                           const std::string& reason) {
  std::string owner;
  {
    const std::lock_guard lock(mutex_);
    const auto known = state_.flags.find(flag);
    if (known == state_.flags.end() && !flags_in(document_).contains(flag))
      return fail(ErrorCode::NotFound, fmt::format("there is no flag '{}' at this relay", flag));
    if (known != state_.flags.end()) owner = known->second.owner;
  }
  TRY(authorize(actor, reopen ? "reopen-flag" : "kill-flag", owner));
  const FlagSwitch by{.since = now(), .actor = actor.name, .reason = reason};
  std::vector<std::string> notes;
  {
    const std::lock_guard lock(mutex_);
    if (switches_.of(flag).off != reopen) {
      return std::vector<std::string>{
          fmt::format("'{}' is {} already", flag, reopen ? "not killed" : "killed")};
    }
    if (reopen && killed_above(flag)) {
      return fail(ErrorCode::Conflict,
                  fmt::format("'{}' was killed above this relay, which does not know what it was "
                              "before; re-open it there",
                              flag));
    }
    if (reopen)
      switches_.reopen(flag, by);
    else
      switches_.kill(flag, by);
    publish();
    if (!saved_) return std::unexpected(saved_.error());
    notes = {
        fmt::format("'{}' is {} at this relay and below it; above it will be known when the "
                    "line is there",
                    flag, reopen ? "re-opened" : "off")};
  }
  switched();
  return notes;
}

void RelayBackend::switched() {
  options_.on_flags_changed();
  options_.on_news();
}

void RelayBackend::hear_from_below(const std::vector<FlagMoves>& moves) {
  {
    const std::lock_guard lock(mutex_);
    for (const FlagMoves& each : moves) switches_.hear_from_below(each);
    publish();
  }
  switched();
}

std::vector<FlagMoves> RelayBackend::untold() const {
  const std::lock_guard lock(mutex_);
  return switches_.untold();
}

json::value RelayBackend::state() const {
  const std::lock_guard lock(mutex_);
  RelayState out = state_;
  for (const auto& [flag, value] : switches_.all()) out.flags[flag].kill = value;
  return relay_state_to_json(out);
}

bool RelayBackend::has_flags() const {
  const std::lock_guard lock(mutex_);
  return !document_.empty();
}

}  // namespace showcaller
