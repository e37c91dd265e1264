// SPDX-License-Identifier: Apache-2.0
#include "host/learned_noise.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

constexpr std::size_t kMetricsMax = 64;
constexpr std::size_t kRolloutsKept = 2;  // whoever asks, one of them is not his own
constexpr double kTauMax = 2, kNuMax = 40;

std::string stream_of(const std::string& fleet) {
  return fmt::format("fleet/{}/noise", fleet);
}

std::string rollout_of(const JudgedStage& stage) {
  return fmt::format("{}/r{}", stage.event, stage.revision);
}

double rounded(double value) {
  return std::stod(fmt::format("{:.6g}", value));
}

template <class Lessons, class Lesson>
void keep(Lessons* lessons, Lesson lesson) {
  std::erase_if(*lessons, [&](const auto& known) { return known.rollout == lesson.rollout; });
  lessons->push_back(std::move(lesson));
  if (lessons->size() > kRolloutsKept) lessons->erase(lessons->begin());
}

bool is_sound(const NoisePrior& prior) {
  return prior.tau > 0 && prior.tau <= kTauMax && prior.nu > 0 && prior.nu <= kNuMax;
}

// Absent: no such line.
std::optional<LearnedNoise::Priors> priors_in(const json::object& line) {
  const json::value* learned = line.if_contains("learned");
  if (!learned || !learned->is_object()) return std::nullopt;
  LearnedNoise::Priors out;
  for (const auto& [metric, value] : learned->get_object()) {
    if (!value.is_object()) return std::nullopt;
    const NoisePrior prior{.tau = get_double(value.get_object(), "tau"),
                           .nu = get_double(value.get_object(), "nu")};
    if (!is_sound(prior)) return std::nullopt;
    out[std::string(metric)] = prior;
  }
  return out;
}

json::object line_of(const std::string& rollout, const LearnedNoise::Priors& priors) {
  json::object learned;
  for (const auto& [metric, prior] : priors)
    learned[metric] = {{"tau", prior.tau}, {"nu", prior.nu}};
  return {{"rollout", rollout}, {"learned", std::move(learned)}};
}

// By metric, of its gates the one that saw instances differ most; where nothing was learned, none.
LearnedNoise::Priors taught_by(const JudgedStage& stage, const GateState& gate) {
  LearnedNoise::Priors out;
  const std::vector<NoisePrior> learned = gate.learned();
  const std::vector<GateMetric>& metrics = gate.config().metrics;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (learned[i] == metrics[i].prior) continue;
    const NoisePrior now{rounded(learned[i].tau), rounded(learned[i].nu)};
    NoisePrior& most = out.try_emplace(stage.metric_name(metrics[i].name), now).first->second;
    if (now.tau > most.tau) most = now;
  }
  return out;
}

}  // namespace

LearnedNoise::Lessons& LearnedNoise::lessons_of(const std::string& fleet,
                                                std::vector<Error>* errors) {
  const auto [at, is_new] = lessons_.try_emplace(fleet);
  if (!is_new) return at->second;
  const std::string stream = stream_of(fleet);
  std::size_t unread = 0;
  const Status read = store_->read(stream, [&](std::string_view text, const EvidenceMark&) {
    const auto line = parse_json(text);
    auto priors = line && line->is_object() ? priors_in(line->get_object()) : std::nullopt;
    if (priors)
      keep(&at->second, Lesson{get_string(line->get_object(), "rollout"), std::move(*priors)});
    else
      ++unread;
    return true;
  });
  if (!read) errors->push_back(read.error());
  if (unread > 0) {
    errors->push_back(
        {ErrorCode::Corrupt,
         fmt::format("{} lines of {} can't be read and are passed over; what they taught of the "
                     "fleet's noise is learned again by the next rollouts",
                     unread, stream)});
  }
  return at->second;
}

LearnedNoise::Priors LearnedNoise::priors_of(const JudgedStage& stage, std::vector<Error>* errors) {
  if (stage.fleet.empty() || stage.config.assignment != Assignment::Instance) return {};
  const Lessons& lessons = lessons_of(stage.fleet, errors);
  const std::string own = rollout_of(stage);
  for (auto at = lessons.rbegin(); at != lessons.rend(); ++at) {
    if (at->rollout != own) return at->priors;
  }
  return {};
}

void LearnedNoise::learn(const JudgedStage& stage, const GateState& gate,
                         std::vector<Error>* errors) {
  if (stage.fleet.empty() || stage.config.assignment != Assignment::Instance) return;
  Priors priors = taught_by(stage, gate);
  if (priors.empty()) return;
  // What this rollout did not judge is handed on.
  for (const auto& [metric, prior] : priors_of(stage, errors)) {
    if (priors.size() < kMetricsMax) priors.try_emplace(metric, prior);
  }
  const std::string stream = stream_of(stage.fleet);
  const std::string rollout = rollout_of(stage);
  const auto stored = store_->append(stream, to_json_text(line_of(rollout, priors)));
  const Status flushed = stored ? store_->flush() : Status(std::unexpected(stored.error()));
  if (!flushed) errors->push_back(flushed.error());
  store_->close(stream);
  keep(&lessons_of(stage.fleet, errors), Lesson{rollout, std::move(priors)});
}

}  // namespace showcaller
