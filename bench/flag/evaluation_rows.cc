// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "base/check.h"
#include "bench/flag/rows.h"
#include "flag/flag_set.h"

namespace showcaller::bench {
namespace {

constexpr Instant kNow = instant_ms(1'760'000'000'000);
constexpr int kRounds = 9;

struct Asked {
  double ns = 0;
  std::uint64_t on = 0;
};

// What the answer is used for: all of its details. Without a branch on what it says, which nobody
// could foresee: that would be the asker's.
bool is_on(const Evaluation& answer) {
  CHECK(answer.reason != FlagReason::Error && answer.metadata != nullptr &&
        !answer.variant.empty());
  return answer.value->get_bool();
}

// All questions once, to fetch back what others put out of the caches, and then a few times.
template <class Ask>
Asked measure(const Workload& workload, const Ask& ask) {
  constexpr int kTimes = 4;
  Asked out;
  double start = 0;
  for (int time = -1; time < kTimes; ++time) {
    if (time == 0) start = now_s(CLOCK_PROCESS_CPUTIME_ID);
    out.on = 0;
    for (const Question& question : workload.questions) out.on += is_on(ask(question));
  }
  const double spent = now_s(CLOCK_PROCESS_CPUTIME_ID) - start;
  out.ns = spent * 1e9 / (kTimes * double(workload.questions.size()));
  return out;
}

class Evaluations {
 public:
  Evaluations(const Workload& workload, const FlagSet& set)
      : workload_(workload), set_(set), contexts_(workload.players.size()) {
    interned_.reserve(contexts_.size());
    for (std::size_t i = 0; i < contexts_.size(); ++i) {
      workload.players[i].describe(&contexts_[i]);
      interned_.push_back(set.intern(contexts_[i]));
    }
  }

  std::vector<Figure> rows(FlagKind kind, FlagdCorePeer* peer) {
    std::vector<std::string> keys;
    std::vector<FlagSet::Handle> handles;
    for (std::uint32_t i = 0; i < kFlagsOfKind; ++i) {
      keys.push_back(flag_key(kind, i));
      handles.push_back(set_.handle(keys.back()));
    }
    std::vector<double> ours[3], theirs, ratios[3];
    for (int round = -1; round < kRounds; ++round) {
      const Asked asked[3]{measure(workload_,
                                   [&](const Question& q) -> const Evaluation& {
                                     return set_.evaluate(keys[q.flag], contexts_[q.player], kNow);
                                   }),
                           measure(workload_,
                                   [&](const Question& q) -> const Evaluation& {
                                     return set_.evaluate(handles[q.flag], interned_[q.player],
                                                          kNow);
                                   }),
                           measure(workload_, [&](const Question& q) -> const Evaluation& {
                             EvaluationContext context;
                             workload_.players[q.player].describe(&context);
                             return set_.evaluate(keys[q.flag], context, kNow);
                           })};
      const auto answer = peer != nullptr ? peer->ask(kind, round < 0 ? 8 : 2)
                                          : Result<FlagdCorePeer::Answer>(FlagdCorePeer::Answer{});
      if (!answer || !agree(kind, asked, peer != nullptr ? answer->on : asked[0].on)) return {};
      if (round < 0) continue;
      theirs.push_back(answer->ns);
      for (int way = 0; way < 3; ++way) {
        ours[way].push_back(asked[way].ns);
        ratios[way].push_back(asked[way].ns / std::max(answer->ns, 1e-9));
      }
    }
    std::vector<Figure> out;
    constexpr const char* kWays[]{"by_key", "by_handle_interned", "context_built"};
    for (int way = 0; way < 3; ++way) {
      Figure row{.name = fmt::format("flag_{}_{}", to_string(kind), kWays[way]),
                 .unit = "ns/op",
                 .ours = median(ours[way])};
      if (peer != nullptr) {
        row.reference = median(theirs);
        row.reference_name = "@openfeature/flagd-core, Node";
        row.ratio = median(ratios[way]);
        row.spread = spread_of(ratios[way]);
      }
      out.push_back(row);
    }
    return out;
  }

 private:
  bool agree(FlagKind kind, const Asked (&asked)[3], std::uint64_t theirs) const {
    const double expected = workload_.expected_on(kind);
    const double share = double(asked[0].on) / double(workload_.questions.size());
    const bool one = asked[1].on == asked[0].on && asked[2].on == asked[0].on;
    if (one && asked[0].on == theirs && std::abs(share - expected) < 0.01) return true;
    std::fprintf(stderr, "flag_%s: void: %.4f of the answers are on, %.4f should be; peer %.4f\n",
                 std::string(to_string(kind)).c_str(), share, expected,
                 double(theirs) / double(workload_.questions.size()));
    return false;
  }

  const Workload& workload_;
  const FlagSet& set_;
  std::vector<EvaluationContext> contexts_;
  std::vector<InternedContext> interned_;
};

}  // namespace

std::vector<Figure> evaluation_rows(const Workload& workload, FlagdCorePeer* peer) {
  const auto set = FlagSet::parse(workload.definitions);
  CHECK(set.has_value());
  Evaluations evaluations(workload, *set);
  std::vector<Figure> out;
  for (const FlagKind kind : kFlagKinds) {
    for (Figure& row : evaluations.rows(kind, peer)) out.push_back(std::move(row));
  }
  return out;
}

Figure interning_row(const Workload& workload) {
  const auto set = FlagSet::parse(workload.definitions);
  CHECK(set.has_value());
  std::vector<EvaluationContext> contexts(workload.players.size());
  for (std::size_t i = 0; i < contexts.size(); ++i) workload.players[i].describe(&contexts[i]);
  const auto intern = [&]() -> std::uint64_t {
    for (int round = 0; round < 20; ++round) {
      for (const EvaluationContext& context : contexts) CHECK(set->intern(context).values());
    }
    return 20 * contexts.size();
  };
  const auto evaluate = [&]() -> std::uint64_t {
    const std::string key = flag_key(FlagKind::Gated, 7);
    for (int round = 0; round < 20; ++round) {
      for (const EvaluationContext& context : contexts)
        CHECK(set->evaluate(key, context, kNow).value != nullptr);
    }
    return 20 * contexts.size();
  };
  return compare("flag_intern_context", "ns/op", intern, evaluate, "one gated flag by key");
}

}  // namespace showcaller::bench
