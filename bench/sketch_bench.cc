// SPDX-License-Identifier: Apache-2.0
// Quantile sketches: what an insert costs beside a plain array increment, and a merge beside a
// plain sum.
#include <cmath>
#include <memory>

#include "base/random.h"
#include "bench/figure.h"
#include "evidence/histogram.h"

namespace showcaller {
namespace {

constexpr std::size_t kValues = 1 << 16;
constexpr int kRounds = 40;

std::vector<double> latencies() {
  Random random(1);
  std::vector<double> out(kValues);
  for (double& v : out) v = random.lognormal(std::log(40.0), 0.8);
  return out;
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  const auto values = latencies();
  std::vector<std::uint32_t> indices;
  for (const double v : values) indices.push_back(std::uint32_t(LogHistogram::index_of(v)));
  auto log_histogram = std::make_unique<LogHistogram>();
  auto other = std::make_unique<LogHistogram>();
  ExponentialHistogram exponential(5);
  std::vector<std::uint64_t> plain(LogHistogram::kBuckets), more(LogHistogram::kBuckets, 3);

  const auto increments = [&] {
    for (int r = 0; r < kRounds; ++r) {
      for (const std::uint32_t i : indices) ++plain[i];
    }
    return std::uint64_t(kValues) * kRounds;
  };
  const auto log_inserts = [&] {
    for (int r = 0; r < kRounds; ++r) {
      for (const double v : values) log_histogram->record(v);
    }
    return std::uint64_t(kValues) * kRounds;
  };
  const auto exponential_inserts = [&] {
    for (int r = 0; r < 4; ++r) {
      for (const double v : values) exponential.record(v);
    }
    return std::uint64_t(kValues) * 4;
  };
  const auto merges = [&] {
    for (int r = 0; r < 5000; ++r) log_histogram->merge(*other);
    return std::uint64_t(5000);
  };
  const auto sums = [&] {
    for (int r = 0; r < 5000; ++r) {
      for (std::size_t i = 0; i < plain.size(); ++i) plain[i] += more[i];
    }
    return std::uint64_t(5000);
  };
  bench::print_figures(
      argc, argv,
      {bench::compare("log histogram, insert", "ns/op", log_inserts, increments, "array increment"),
       bench::compare("exponential histogram, insert", "ns/op", exponential_inserts, increments,
                      "array increment"),
       bench::compare("log histogram, merge", "ns/op", merges, sums, "sum of two arrays")});
}
