// SPDX-License-Identifier: Apache-2.0
// What every benchmark prints, and how it measures: ours and a reference interleaved in one run,
// told as a ratio.
//
//   int main(int argc, char** argv) {
//     print_figures(argc, argv, {compare("flag_eval", "ns/op", [&] { ...; return ops; },
//                                        [&] { ...; return ops; }, "bare switch")});
//   }
// With --json: one line a figure
// {"name","unit","ours","reference","reference_name","ratio","spread"}.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <time.h>

namespace showcaller::bench {

struct Figure {
  std::string name;
  std::string unit;  // "ns/op" (less is better), "op/s" (more is better), "bytes", ...
  double ours = 0;
  double reference = 0;  // 0 with an empty name: an absolute figure
  std::string reference_name;
  double ratio = 0;  // ours / reference
  double spread =
      0;  // interquartile range of the rounds' ratios over their median; 0 for one round
};

inline double now_s(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

inline double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, std::size_t(q * double(values.size())))];
}

inline double spread_of(const std::vector<double>& values) {
  const double middle = median(values);
  if (values.size() < 4 || middle == 0) return 0;
  return (quantile(values, 0.75) - quantile(values, 0.25)) / std::abs(middle);
}

// A piece of work; returns how many operations it did. At least a few milliseconds long.
using Work = std::function<std::uint64_t()>;

enum class Clock {
  Cpu,   // of the whole process: right on a shared machine
  Wall,  // where waiting is part of the figure
};

// Runs ours and the reference in turn, `rounds` times after one warm-up round each. A unit that
// ends in "/s" is a rate (operations a second); "us/op" and "ms/op" scale; anything else is
// nanoseconds an operation.
inline Figure compare(std::string name, std::string unit, const Work& ours, const Work& reference,
                      std::string reference_name, int rounds = 9, Clock clock = Clock::Cpu) {
  const clockid_t id = clock == Clock::Cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
  const bool rate = unit.ends_with("/s");
  const double scale = unit.starts_with("us") ? 1e6 : unit.starts_with("ms") ? 1e3 : 1e9;
  const auto measure = [&](const Work& work) {
    const double start = now_s(id);
    const double operations = double(std::max<std::uint64_t>(1, work()));
    const double elapsed = std::max(1e-9, now_s(id) - start);
    return rate ? operations / elapsed : elapsed * scale / operations;
  };
  std::vector<double> our_figures, reference_figures, ratios;
  for (int round = -1; round < rounds; ++round) {
    // Turn about, so that neither always runs on the caches the other left.
    const bool ours_first = round % 2 == 0;
    double a = ours_first ? measure(ours) : 0;
    const double b = measure(reference);
    if (!ours_first) a = measure(ours);
    if (round < 0) continue;
    our_figures.push_back(a);
    reference_figures.push_back(b);
    ratios.push_back(a / b);
  }
  return {std::move(name),           std::move(unit),           median(our_figures),
          median(reference_figures), std::move(reference_name), median(ratios),
          spread_of(ratios)};
}

inline std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return buffer;
}

inline std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

inline void print_figures(int argc, char** argv, const std::vector<Figure>& figures) {
  const bool as_json = std::any_of(argv + 1, argv + std::max(1, argc),
                                   [](const char* a) { return std::string_view(a) == "--json"; });
  if (!as_json) {
    std::printf("%-44s %14s %14s %9s %8s  %-8s %s\n", "figure", "ours", "reference", "ratio",
                "spread", "unit", "against");
  }
  for (const Figure& f : figures) {
    if (as_json) {
      std::printf(
          "{\"name\":%s,\"unit\":%s,\"ours\":%s,\"reference\":%s,\"reference_name\":%s,\"ratio\":%"
          "s,"
          "\"spread\":%s}\n",
          json_text(f.name).c_str(), json_text(f.unit).c_str(), json_number(f.ours).c_str(),
          json_number(f.reference).c_str(), json_text(f.reference_name).c_str(),
          json_number(f.ratio).c_str(), json_number(f.spread).c_str());
    } else {
      std::printf("%-44s %14.5g %14.5g %9.3f %7.1f%%  %-8s %s\n", f.name.c_str(), f.ours,
                  f.reference, f.ratio, f.spread * 100, f.unit.c_str(), f.reference_name.c_str());
    }
  }
  std::fflush(stdout);
}

}  // namespace showcaller::bench
