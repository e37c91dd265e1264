// SPDX-License-Identifier: Apache-2.0
// Sets as a whole: loading one, and replacing it under readers.
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "bench/flag/rows.h"
#include "flag/flag_set.h"
#include "sdk/snapshot_cell.h"

namespace showcaller::bench {
namespace {

constexpr Instant kNow = instant_ms(1'760'000'000'000);

using Cell = sdk::SnapshotCell<FlagSet>;

std::string many_flags() {
  json::array rules;
  for (int i = 0; i < 5; ++i) {
    rules.push_back(*parse_json(fmt::format(
        R"({{"and":[{{"in":[{{"var":"region"}},["eu-{0}","us-{0}"]]}},{{">=":[{{"var":"level"}},{0}]}}]}})",
        i)));
    rules.push_back(i % 2 == 0 ? "on" : "off");
  }
  rules.push_back("off");
  const json::object flag{{"state", "ENABLED"},
                          {"variants", {{"on", true}, {"off", false}}},
                          {"defaultVariant", "off"},
                          {"targeting", {{"if", std::move(rules)}}}};
  json::object flags;
  for (std::size_t i = 0; i < FlagLimits().flags_max; ++i)
    flags.emplace(fmt::format("flag-{:05}", i), flag);
  return to_json_text(json::object{{"flags", std::move(flags)}});
}

// Nanoseconds of 64 evaluations by key, each time.
std::vector<double> read_for(const Workload& workload, const Cell& cell, double seconds) {
  std::vector<EvaluationContext> contexts(workload.players.size());
  for (std::size_t i = 0; i < contexts.size(); ++i) workload.players[i].describe(&contexts[i]);
  std::vector<std::string> keys;
  for (std::uint32_t i = 0; i < kFlagsOfKind; ++i) keys.push_back(flag_key(FlagKind::Gated, i));
  std::vector<double> out;
  std::size_t next = 0;
  const double end = now_s(CLOCK_MONOTONIC) + seconds;
  for (double start = now_s(CLOCK_MONOTONIC); start < end;) {
    for (int i = 0; i < 64; ++i) {
      const Question& q = workload.questions[next++ % workload.questions.size()];
      const auto set = cell.read();
      CHECK(set->evaluate(keys[q.flag], contexts[q.player], kNow).value != nullptr);
    }
    const double now = now_s(CLOCK_MONOTONIC);
    out.push_back((now - start) * 1e9);
    start = now;
  }
  return out;
}

void publish(const Workload& workload, Cell* cell) {
  auto set = FlagSet::parse(workload.definitions);
  CHECK(set.has_value());
  cell->publish(std::make_unique<const FlagSet>(*std::move(set)));
}

// Runs what is given while another thread replaces the set all the time.
template <class Use>
void while_swapping(const Workload& workload, Cell* cell, const Use& use) {
  std::atomic<bool> done{false};
  std::thread swapper([&] {
    while (!done) publish(workload, cell);
  });
  use();
  done = true;
  swapper.join();
}

}  // namespace

Figure loading_row() {
  const std::string text = many_flags();
  const auto load = [&]() -> std::uint64_t {
    const auto set = FlagSet::parse(text);
    CHECK(set.has_value() && set->size() == FlagLimits().flags_max && set->broken().empty());
    return 1;
  };
  const auto parse = [&]() -> std::uint64_t {
    CHECK(parse_json(text).has_value());
    return 1;
  };
  return compare("flag_load_10000_flags_of_5_rules", "ms/op", load, parse,
                 "parsing the JSON alone");
}

std::vector<Figure> swapping_rows(const Workload& workload) {
  Cell cell;
  publish(workload, &cell);
  std::vector<double> calm, swapped, ratios, one, two;
  for (int round = 0; round < 5; ++round) {
    const auto undisturbed = read_for(workload, cell, 0.3);
    calm.push_back(quantile(undisturbed, 0.999) / 64);
    while_swapping(workload, &cell, [&] {
      const auto disturbed = read_for(workload, cell, 0.3);
      swapped.push_back(quantile(disturbed, 0.999) / 64);
      one.push_back(double(disturbed.size()));
    });
    ratios.push_back(swapped.back() / calm.back());
    std::vector<double> first, second;
    std::thread other([&] { second = read_for(workload, cell, 0.3); });
    first = read_for(workload, cell, 0.3);
    other.join();
    two.push_back(double(first.size() + second.size()) / double(undisturbed.size()));
  }
  return {{"flag_read_p999_while_swapping", "ns/op", median(swapped), median(calm),
           "the same set all the time", median(ratios), spread_of(ratios)},
          {"flag_two_readers", "ratio", median(two), 1, "one reader", median(two), spread_of(two)}};
}

}  // namespace showcaller::bench
