// SPDX-License-Identifier: Apache-2.0
#include "sim/virtual_services.h"

namespace showcaller::sim {
namespace {

constexpr double kAnswerMeanMs = 300;
constexpr double kLostAnswers = 0.01;

}  // namespace

void VirtualServices::call(const ActionCall& call, Outcome done) {
  const Duration at = now_ + Duration(std::int64_t(random_.exponential(kAnswerMeanMs)));
  if (!call.problem.empty()) {
    under_way_.emplace(at, Answer{StepOutcome::Failed, call.problem, std::move(done)});
    return;
  }
  if (call.direction == StepDirection::Undo && truth_->acting(FaultKind::UndoFails)) {
    under_way_.emplace(at, Answer{StepOutcome::Failed, "409 refused", std::move(done)});
    return;
  }
  const bool only_asks = call.path == call.verify_path;
  if (!only_asks && keys_.insert(call.idempotency_key).second)
    effects_.push_back({call.event, call.revision, call.step, call.direction});
  const bool lost = random_.chance(kLostAnswers);
  under_way_.emplace(at, lost ? Answer{StepOutcome::Unknown, "no reply", std::move(done)}
                              : Answer{StepOutcome::Done, "200", std::move(done)});
}

void VirtualServices::set_time(Duration now) {
  now_ = now;
  while (!under_way_.empty() && under_way_.begin()->first <= now) {
    Answer answer = std::move(under_way_.begin()->second);
    under_way_.erase(under_way_.begin());
    answer.done(answer.outcome, std::move(answer.detail));
  }
}

}  // namespace showcaller::sim
