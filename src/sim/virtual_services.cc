// SPDX-License-Identifier: Apache-2.0
#include "sim/virtual_services.h"

namespace showcaller::sim {
namespace {

constexpr double kAnswerMeanMs = 300;
constexpr double kLostAnswers = 0.01;

}  // namespace

void VirtualServices::answer_at(Duration at, ActionPort::Outcome done, StepOutcome outcome,
                                std::string detail) {
  under_way_.emplace(
      at, [done = std::move(done), outcome, detail = std::move(detail)] { done(outcome, detail); });
}

void VirtualServices::call(const ActionCall& call, ActionPort::Outcome done) {
  const Duration at = now_ + Duration(std::int64_t(random_.exponential(kAnswerMeanMs)));
  if (!call.problem.empty())
    return answer_at(at, std::move(done), StepOutcome::Failed, call.problem);
  if (call.direction == StepDirection::Undo && truth_->acting(FaultKind::UndoFails))
    return answer_at(at, std::move(done), StepOutcome::Failed, "409 refused");
  const bool only_asks = call.path == call.verify_path;
  if (!only_asks && keys_.insert(call.idempotency_key).second)
    effects_.push_back({call.event, call.revision, call.step, call.direction});
  const bool lost = random_.chance(kLostAnswers);
  answer_at(at, std::move(done), lost ? StepOutcome::Unknown : StepOutcome::Done,
            lost ? "no reply" : "200");
}

void VirtualServices::run(const ProbeCall& call, ProbePort::Outcome done) {
  ProbeResult result;
  for (int journey = 0; journey <= call.spec.retries; ++journey) {
    result.journeys = journey + 1;
    result.took = Duration(std::int64_t(random_.exponential(kAnswerMeanMs)));
    const bool lost = random_.chance(kLostAnswers);
    result.wrong = lost ? call.spec.steps.front().name + ": no reply" : "";
    if (!lost) break;
  }
  under_way_.emplace(now_ + result.took, [done = std::move(done), result] { done(result); });
}

void VirtualServices::set_time(Duration now) {
  now_ = now;
  while (!under_way_.empty() && under_way_.begin()->first <= now) {
    const auto answer = std::move(under_way_.begin()->second);
    under_way_.erase(under_way_.begin());
    answer();
  }
}

}  // namespace showcaller::sim
