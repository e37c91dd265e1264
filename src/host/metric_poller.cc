// SPDX-License-Identifier: Apache-2.0
#include "host/metric_poller.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "model/metric_query.h"

namespace showcaller {
namespace {

constexpr double kGrownMost = 9e15;
constexpr std::size_t kSeriesKeptMax = 20'000;

std::set<std::string> metrics_of(const JudgedStage& stage) {
  std::set<std::string> out;
  for (const auto& [gate, metric] : stage.metric_of) out.insert(metric);
  for (const AbsoluteGate& gate : stage.absolute) out.insert(gate.metric);
  return out;
}

}  // namespace

struct MetricPoller::Question {
  Arm arm = Arm::Canary;
  bool bad = false;
  bool windowed = false;
  std::string text;
  Result<std::vector<QuerySample>> answer = fail(ErrorCode::Unavailable, "it was not answered");

  std::string name() const {
    return fmt::format("{} of the {}", bad ? "bad" : "total", to_string(arm));
  }
};

struct MetricPoller::Round {
  std::string stage, event, metric;
  Trust trust = Trust::Server;
  bool compares = false;  // with the baseline
  bool is_share = false;  // what is bad is part of the total
  std::vector<Question> questions;
  std::mutex mutex;
  std::size_t open = 0;
};

MetricPoller::MetricPoller(EngineHost* host, MetricQueries* queries, Take take)
    : host_(host), queries_(queries) {
  state_->take = std::move(take);
}

MetricPoller::~MetricPoller() {
  std::lock_guard lock(state_->mutex);
  state_->asked.clear();
}

void MetricPoller::pass() {
  const auto world = host_->published();
  const Instant now = host_->now();
  std::set<std::pair<std::string, std::string>> judged;
  world->events.each([&](const std::string& name, const EventState& event) {
    if (!may_admit(event.phase)) return;
    const auto stage = judged_stage(*world, name, {}, now);
    if (!stage) return;
    for (const std::string& metric : metrics_of(*stage)) {
      const auto spec = metric_spec(*world, metric);
      if (!spec || spec->source != MetricSource::Prometheus) continue;
      judged.insert({stage->key(), metric});
      std::unique_lock lock(state_->mutex);
      Asked& asked = state_->asked[{stage->key(), metric}];
      if (asked.under_way || now < asked.next) continue;
      asked.under_way = true;
      const Duration tick = seconds(stage->config.tick_s);
      asked.next = now + std::max(tick, spec->query_every);
      lock.unlock();
      ask(*stage, metric, *spec, *world);
    }
  });
  std::lock_guard lock(state_->mutex);
  std::erase_if(state_->asked, [&](const auto& asked) { return !judged.contains(asked.first); });
}

void MetricPoller::ask(const JudgedStage& stage, const std::string& metric, const MetricSpec& spec,
                       const World& world) {
  auto round = std::make_shared<Round>();
  round->stage = stage.key();
  round->event = stage.event;
  round->metric = metric;
  round->trust = spec.trust;
  round->is_share = spec.type == MetricType::Binary;
  round->compares = std::ranges::any_of(stage.config.metrics, [&](const GateMetric& compared) {
    return stage.metric_name(compared.name) == metric;
  });
  const FleetSpec* fleet = world.fleet(stage.fleet);
  const Duration window = std::max(Duration(seconds(stage.config.tick_s)), spec.query_every);
  for (const Arm arm : {Arm::Canary, Arm::Baseline}) {
    const std::string build =
        arm == Arm::Canary ? stage.canary_build : (fleet ? fleet->base : std::string());
    const QueryPlace place{stage.event, stage.fleet, build, arm, window};
    for (const bool bad : {false, true}) {
      const std::string& query = bad ? spec.query_bad : spec.query_total;
      if (query.empty()) continue;
      round->questions.push_back({arm, bad, is_windowed(query), filled_query(query, place)});
    }
  }
  round->open = round->questions.size();
  for (std::size_t i = 0; i < round->questions.size(); ++i) {
    queries_->ask(round->questions[i].text,
                  [round, i, state = state_](Result<std::vector<QuerySample>> answer) {
                    std::unique_lock lock(round->mutex);
                    round->questions[i].answer = std::move(answer);
                    if (--round->open > 0) return;
                    lock.unlock();
                    finish(state.get(), *round);
                  });
  }
}

namespace {

// What a series came to since it was last seen, in whole numbers; a rest is told with the next.
std::int64_t growth_of(const QuerySample& sample, bool windowed, const std::string& key,
                       std::map<std::string, double>* totals) {
  const auto [known, is_new] = totals->try_emplace(key, 0);
  double& total = known->second;
  double before = total;
  if (windowed) {
    total += std::max(0.0, sample.value);
  } else {
    total = sample.value;
    if (is_new) return 0;  // It had begun before.
    if (total < before) before = 0;
  }
  const double grown = std::floor(total) - std::floor(before);
  return grown > 0 && grown < kGrownMost ? std::int64_t(grown) : 0;
}

}  // namespace

// Empty: every question has a good answer, with series where they are needed.
std::string MetricPoller::trouble_of(const Round& round) {
  std::string empty;
  for (const Question& question : round.questions) {
    if (!question.answer)
      return fmt::format("{}: {}", question.name(), question.answer.error().message);
    const bool needed = !question.bad && (question.arm == Arm::Canary || round.compares);
    if (question.answer->empty() && needed && empty.empty())
      empty = fmt::format("{}: the query gives no series", question.name());
  }
  return empty;
}

// By arm and group, what the round's answers grew by. Of very many series those that are gone are
// forgotten.
MetricPoller::Grown MetricPoller::take_growth(const Round& round, Asked* asked) {
  Grown grown;
  std::map<std::string, double> seen;
  for (const Question& question : round.questions) {
    for (const QuerySample& sample : *question.answer) {
      if (!std::isfinite(sample.value)) continue;
      const std::string key =
          fmt::format("{}/{}/{}", to_string(question.arm), question.bad, sample.series);
      const std::int64_t more = growth_of(sample, question.windowed, key, &asked->totals);
      ReportedDelta& delta = grown[{question.arm, sample.group}];
      (question.bad ? delta.x : delta.n) += more;
      seen[key] = asked->totals.at(key);
    }
  }
  if (asked->totals.size() > kSeriesKeptMax) asked->totals = std::move(seen);
  return grown;
}

// The two counts are read one after the other: what is bad waits for its total.
void MetricPoller::hold_back(const std::pair<Arm, std::string>& place, Asked* asked,
                             ReportedDelta* delta) {
  std::int64_t& behind = asked->behind[fmt::format("{}/{}", to_string(place.first), place.second)];
  const std::int64_t bad = delta->x + behind;
  delta->x = std::min(bad, delta->n);
  behind = bad - delta->x;
}

// Under the lock to its end: who closes waits for it.
void MetricPoller::finish(State* state, const Round& round) {
  std::lock_guard lock(state->mutex);
  const auto found = state->asked.find({round.stage, round.metric});
  if (found == state->asked.end()) return;  // It is judged no more.
  Asked& asked = found->second;
  asked.under_way = false;
  asked.trouble = trouble_of(round);
  const bool answered = std::ranges::all_of(
      round.questions, [](const Question& question) { return question.answer.has_value(); });
  if (!answered) return;
  Grown grown = take_growth(round, &asked);
  for (auto& [place, delta] : grown) {
    if (round.is_share) hold_back(place, &asked, &delta);
    if (delta.n == 0 && delta.x == 0) continue;
    delta.metric = round.metric;
    delta.event = round.event;
    delta.arm = place.first;
    delta.unit = place.second;
    state->take(delta, round.trust);
  }
}

std::string MetricPoller::trouble(const std::string& stage, const std::string& metric) const {
  std::lock_guard lock(state_->mutex);
  const auto found = state_->asked.find({stage, metric});
  return found == state_->asked.end() ? std::string() : found->second.trouble;
}

}  // namespace showcaller
