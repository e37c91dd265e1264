// SPDX-License-Identifier: Apache-2.0
// How good alerts are, on simulated weeks (bench/alerts/alert_world.h), of which it is known what
// harmed players: Showcaller's beside a plain threshold and beside the standard multiwindow,
// multi-burn-rate rules, all of them on the same counts. SHOWCALLER_WEEKS sets how many, 200;
// SHOWCALLER_SEED their first seed, else those that the table of docs/alerts.md is from;
// SHOWCALLER_MISSES=1 tells of each harm that a rule has missed.
//
//   threshold  more than 1 % bad over five minutes, for five minutes
//   burn rate  14.4 over 1 h and 5 min, or 6 over 6 h and 30 min; ends when neither holds any more
//   windows    Showcaller's engine with the same windows and factors, proven, and nothing else
//   showcaller its engine as it is: a page as soon as a burn above `page_above` is proven
#include <algorithm>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "base/check.h"
#include "bench/alerts/alert_world.h"
#include "bench/figure.h"
#include "engine/alert_plan.h"
#include "engine/burn_severity.h"
#include "engine/engine.h"
#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

using bench::AlertWorld;
using bench::Incident;
using bench::kAlertTick;
using bench::kServices;

constexpr std::string_view kHouse = R"(apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: raids, owner: raids }
spec: { members: [ann] }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: raids }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [raid] } ]
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: matches, owner: raids }
spec: { fleets: [raid], slos: [ { name: good, metric: session.crashed, page_above: 2 } ] }
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: front, owner: raids }
spec:
  base: 1.0.0
  builds: [ { version: 1.0.0, command: [front] } ]
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: login, owner: raids }
spec: { fleets: [front], slos: [ { name: good, metric: session.crashed, page_above: 2 } ] }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: shop, owner: raids }
spec:
  fleets: [front]
  depends_on: [matches]
  slos: [ { name: good, metric: session.crashed, page_above: 2 } ]
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: guilds, owner: raids }
spec: { fleets: [front], slos: [ { name: good, metric: session.crashed, page_above: 2 } ] }
)";

struct Page {
  Duration at{};
  std::size_t service = 0;
};

// A rule that pages when its condition begins to hold, and can again once it has not for a while.
class Rising {
 public:
  explicit Rising(Duration held_for) : held_for_(held_for) {}
  bool look(bool holds, Duration now) {
    if (holds) {
      if (!since_) since_ = now;
      until_ = now;
      if (paged_ || now - *since_ < held_for_) return false;
      return paged_ = true;
    }
    if (paged_ && now - until_ < minutes(5)) return false;
    since_.reset();
    return paged_ = false;
  }

 private:
  Duration held_for_;
  std::optional<Duration> since_;
  Duration until_{};
  bool paged_ = false;
};

class Threshold {
 public:
  bool look(const RollingCounts& counts, Instant at, Duration now) {
    const BadCounts last = counts.over(minutes(5), at);
    return rising_.look(last.n > 0 && double(last.bad) > 0.01 * double(last.n), now);
  }

 private:
  Rising rising_{minutes(5)};
};

// What engine records say, of all services together.
class Showcaller {
 public:
  enum class Pages { ByWindows, ByProof };
  Showcaller(Instant start, Pages pages) : engine_(World(), 1) {
    std::string house(kHouse);
    const std::string_view proof = "page_above: 2";
    for (std::size_t at = 0; pages == Pages::ByWindows; ++at) {
      at = house.find(proof, at);
      if (at == house.npos) break;
      house.replace(at, proof.size(), "page_above: 0");
    }
    const SourceFile file{"house.yaml", std::move(house)};
    ParseOutcome parsed = parse_manifests(std::span(&file, 1), {});
    ApplyCommand apply;
    for (Manifest& manifest : parsed.manifests)
      apply.manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
    CHECK(apply.manifests.size() == 7);
    std::vector<Record> records;
    CHECK(engine_.take(Command{std::move(apply), {"ann", {"admin"}}, "", "", ""}, start, &records));
  }

  const World& world() const { return engine_.world(); }
  // Whether somebody is called.
  bool look(const BurnReading& reading, Instant now) {
    if (decide_burn(engine_.world(), reading, now).empty()) return false;
    return take(BurnObserved{reading}, now);
  }
  bool pass(Instant now) { return engine_.world().alerts.size() > 0 && take(TimePassed{}, now); }

 private:
  bool take(const Input& input, Instant now) {
    std::vector<Record> records;
    CHECK(engine_.take(input, now, &records));
    return std::ranges::any_of(records, [](const Record& r) { return calls_somebody(r.payload); });
  }

  Engine engine_;
};

constexpr std::array kRules{"threshold", "burn_rate", "windows", "showcaller"};

struct Week {
  std::vector<Incident> incidents;
  std::array<std::vector<Page>, kRules.size()> pages;
};

// Who plays on a service in its best hour, of all: what its pages may go by.
double needed_for(const World& world, std::size_t service) {
  double total = 0;
  const auto stake = [&](std::size_t s) {
    return stake_of(world, std::string(bench::kServiceNames[s]), "",
                    std::int64_t(bench::kPlayersPerRate * bench::kPerSecond[s]));
  };
  for (std::size_t s = 0; s < kServices; ++s) total += stake(s);
  return evidence_needed(stake(service) / total);
}

const SloSpec& slo_in(const World& world, std::string_view service) {
  return world.manifest(Kind::Service, service)->as<ServiceSpec>().slos.front();
}

Week play(std::uint64_t seed, bool with_incidents) {
  const Instant start = instant_ms(1'796'000'000'000 / 604'800'000 * 604'800'000);
  AlertWorld world(seed, with_incidents);
  Showcaller windows(start, Showcaller::Pages::ByWindows);
  Showcaller ours(start, Showcaller::Pages::ByProof);
  std::array<BurnDetector, kServices> detectors;
  std::array<double, kServices> needed{};
  for (std::size_t s = 0; s < kServices; ++s) needed[s] = needed_for(ours.world(), s);
  const SloSpec slo = slo_in(ours.world(), "matches");
  std::array<RollingCounts, kServices> counts;
  std::array<Threshold, kServices> thresholds;
  std::vector<Rising> burns(kServices, Rising(Duration{}));
  Week out;
  for (Duration now = kAlertTick; now <= bench::kAlertWeek; now += kAlertTick) {
    const Instant at = start + now;
    const auto felt = world.tick(now);
    for (std::size_t s = 0; s < kServices; ++s) {
      if (felt[s].n > 0) counts[s].add(at, felt[s]);
      BurnReading reading = burn_reading(slo, counts[s], at);
      reading.service = bench::kServiceNames[s];
      reading.slo = "good";
      if (thresholds[s].look(counts[s], at, now)) out.pages[0].push_back({now, s});
      const auto burns_at = [&](std::size_t rule) {
        const double over =
            burn_of({reading.rules[rule].n, reading.rules[rule].bad, 0}, slo.objective);
        return over > slo.burn[rule].factor && reading.rules[rule].still > slo.burn[rule].factor;
      };
      if (burns[s].look(burns_at(0) || burns_at(1), now)) out.pages[1].push_back({now, s});
      if (windows.look(reading, at)) out.pages[2].push_back({now, s});
      detectors[s].add(at, felt[s], {page_bound(slo), needed[s]});
      reading.proof = detectors[s].proof();
      reading.needed = needed[s];
      if (ours.look(reading, at)) out.pages[3].push_back({now, s});
    }
    if (now.count() % 60'000 != 0) continue;
    (void)windows.pass(at);
    (void)ours.pass(at);
  }
  out.incidents = world.incidents();
  return out;
}

struct Score {
  double weeks = 0, pages = 0, idle_pages = 0;  // idle: nobody was harmed
  double harms = 0, missed = 0;
  std::vector<double> minutes_to_page;
  std::vector<Incident> misses;
};

void tell_misses(const Score& score, std::string_view rule) {
  for (const Incident& miss : score.misses) {
    std::string where;
    for (std::size_t s = 0; s < kServices; ++s) {
      if (miss.hits[s]) where += fmt::format(" {}", bench::kServiceNames[s]);
    }
    fmt::print(stderr, "{} missed:{}, {:.2f} % more bad for {:.0f} min, {:.0f} harmed\n", rule,
               where, 100 * miss.more_bad, double((miss.to - miss.from).count()) / 60'000,
               miss.harmed);
  }
}

int setting(const char* name, int otherwise) {
  const char* asked = std::getenv(name);
  return asked ? std::max(1, std::atoi(asked)) : otherwise;
}

// Of weeks that nobody looked at while the rules were made.
constexpr int kFirstSeed = 20'261'126;

constexpr Duration kAfterwards = minutes(30);

void score(const Week& week, std::size_t rule, Score* out) {
  ++out->weeks;
  for (const Page& page : week.pages[rule]) {
    ++out->pages;
    out->idle_pages += std::ranges::none_of(week.incidents, [&](const Incident& incident) {
      return incident.is_harm() && page.at >= incident.from && page.at < incident.to + kAfterwards;
    });
  }
  for (const Incident& incident : week.incidents) {
    if (!incident.is_harm()) continue;
    ++out->harms;
    const auto first = std::ranges::find_if(week.pages[rule], [&](const Page& page) {
      return incident.hits[page.service] && page.at >= incident.from &&
             page.at < incident.to + kAfterwards;
    });
    if (first == week.pages[rule].end()) {
      ++out->missed;
      out->misses.push_back(incident);
    } else {
      out->minutes_to_page.push_back(double((first->at - incident.from).count()) / 60'000);
    }
  }
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  const int weeks = setting("SHOWCALLER_WEEKS", 200),
            first = setting("SHOWCALLER_SEED", kFirstSeed);
  std::array<Score, kRules.size()> scores;
  for (int week = 0; week < weeks; ++week) {
    const Week played = play(std::uint64_t(first + week), week % 2 == 1);
    for (std::size_t rule = 0; rule < kRules.size(); ++rule) score(played, rule, &scores[rule]);
  }
  std::vector<bench::Figure> figures;
  for (std::size_t rule = 0; rule < kRules.size(); ++rule) {
    const Score& s = scores[rule];
    if (setting("SHOWCALLER_MISSES", 0) > 0) tell_misses(s, kRules[rule]);
    const auto add = [&](std::string_view what, std::string_view unit, double value) {
      figures.push_back(
          {fmt::format("alerts_{}_{}", kRules[rule], what), std::string(unit), value});
    };
    add("pages_without_harm", "a week", s.idle_pages / s.weeks);
    add("pages", "a week", s.pages / s.weeks);
    add("harms_without_page", fmt::format("of {:g}", s.harms), s.missed);
    add("time_to_page_median", "min", bench::median(s.minutes_to_page));
    add("time_to_page_p90", "min", bench::quantile(s.minutes_to_page, 0.9));
  }
  bench::print_figures(argc, argv, figures);
}
