// SPDX-License-Identifier: Apache-2.0
// The grid against a plain reference in long double, and the noise between groups.
#include <cmath>

#include <gtest/gtest.h>

#include "analysis/group_noise.h"
#include "analysis/likelihood_grid.h"
#include "base/random.h"

namespace showcaller {
namespace {

TEST(Grid, OwnExpAndLogAreExactToTheLastPlaces) {
  for (double x = -700; x < 700; x += 0.173) {
    EXPECT_NEAR(exact_exp(x) / std::exp(x), 1, 1e-15) << x;
    EXPECT_NEAR(exact_log(std::exp(x)), x, 1e-15 * std::max(1.0, std::abs(x))) << x;
  }
  EXPECT_EQ(exact_exp(0), 1);
  EXPECT_EQ(exact_log(1), 0);
}

TEST(Grid, NodesAreTheDocumentedOnes) {
  const GridAxis& axis = grid_axis();
  EXPECT_EQ(axis.beta[kGridZero], 0);
  for (std::size_t j = 0; j < kGridNodes; ++j) {
    EXPECT_NEAR(axis.beta[j], 0.05 * std::sinh(0.06 * (double(j) - 73)), 1e-13);
  }
}

// log E to 1e-9 of a naive computation.
TEST(Grid, EvidenceAgreesWithAPlainReference) {
  Random random(4);
  for (int run = 0; run < 50; ++run) {
    const double margin = run % 3 ? std::log1p(0.1 * random.uniform()) : 0;
    const GridMargins margins = grid_margins(margin, std::log(2.5), std::log(1.5));
    std::vector<std::array<double, 3>> ticks;
    GridRow l;
    ShareTable table;
    for (int t = 0; t < 100; ++t) {
      const double w = 0.02 + 0.3 * random.uniform();
      const auto canary = double(random.poisson(3));
      const auto all = canary + double(random.poisson(30));
      ticks.push_back({w, canary, all});
      table.fill(w);
      add_events(&l, canary, all, table, margins);
    }
    const auto plain_l = [&](long double beta) {
      long double sum = 0;
      for (const auto& [w, c, e] : ticks)
        sum += c * beta - e * std::log(1 - w + w * std::exp(beta));
      return sum;
    };
    const double phi = 0.9 + random.uniform();
    const GridAxis& axis = grid_axis();
    long double numerator = 0, weights = 0;
    for (std::size_t j = 0; j < kGridNodes; ++j) {
      const long double over = axis.beta[j] - margin;
      if (over <= 1e-12L) continue;
      long double density = 0;
      for (const auto& [mean, weight] :
           {std::pair(0.1L, 0.25L), std::pair(0.4L, 0.45L), std::pair(1.2L, 0.30L)}) {
        density += weight / mean * std::exp(-over / mean);
      }
      weights += density * axis.step[j];
      numerator +=
          density * axis.step[j] * std::exp((plain_l(axis.beta[j]) - plain_l(margin)) / phi);
    }
    const auto mixture = mixture_above(margin, {{0.1, 0.25}, {0.4, 0.45}, {1.2, 0.30}});
    const double log_e = log_mixture(l, phi, mixture) - l[kSlotMargin] / phi;
    EXPECT_NEAR(log_e, double(std::log(numerator / weights)), 1e-9);
    EXPECT_NEAR(l[kSlotSafe], double(plain_l(std::log(1.5L))), 1e-9);
  }
}

TEST(Grid, MixturesAreProbabilitiesOnTheirSide) {
  for (const double margin : {-0.3, 0.0, 0.095, 0.69, 1.4}) {
    for (const GridMixture& m :
         {mixture_above(margin, {{0.4, 1}}), mixture_below(margin, {{0.4, 1}}),
          mixture_safe(margin, 0.15), mixture_student(margin, 0.15, 6)}) {
      double sum = 0;
      for (std::size_t j = 0; j < kGridNodes; ++j) sum += m.weight[j];
      EXPECT_NEAR(sum, 1, 1e-12);
    }
    const auto above = mixture_above(margin, {{0.4, 1}});
    const auto safe = mixture_safe(margin, 0.15);
    for (std::size_t j = 0; j < kGridNodes; ++j) {
      EXPECT_TRUE(grid_axis().beta[j] > margin || above.weight[j] == 0);
      EXPECT_TRUE(grid_axis().beta[j] < margin || safe.weight[j] == 0);
    }
  }
}

std::vector<GroupTotal> drawn_groups(Random* random, int groups, double n, double p, int clump,
                                     double tau) {
  std::vector<GroupTotal> out;
  for (int i = 0; i < groups; ++i) {
    const double effect = std::exp(tau * random->normal());
    out.push_back({n, double(clump) * double(random->poisson(n * p * effect / clump)), 0});
  }
  return out;
}

TEST(Noise, ChanceIsChanceAndClumpsAreMeasured) {
  Random random(5);
  double phi = 0;
  for (int i = 0; i < 200; ++i) {
    phi += measure_noise(drawn_groups(&random, 64, 10'000, 0.01, 1, 0), MetricKind::Count,
                         Assignment::Player, {})
               .phi;
  }
  EXPECT_NEAR(phi / 200, 1.04, 0.05);
  phi = 0;
  for (int i = 0; i < 200; ++i) {
    phi += measure_noise(drawn_groups(&random, 64, 10'000, 0.01, 4, 0), MetricKind::Count,
                         Assignment::Player, {})
               .phi;
  }
  EXPECT_NEAR(phi / 200, 4 * 1.13, 0.3);
}

TEST(Noise, InstancesAreShrunkTowardsThePrior) {
  Random random(6);
  const NoisePrior prior;
  // No data: the prior.
  auto noise = measure_noise({}, MetricKind::Binary, Assignment::Instance, prior);
  EXPECT_NEAR(noise.tau2, 0.0225, 1e-12);
  EXPECT_EQ(noise.nu, 6);
  // One group says nothing of differences.
  noise = measure_noise(drawn_groups(&random, 1, 1e6, 0.01, 1, 0.3), MetricKind::Binary,
                        Assignment::Instance, prior);
  EXPECT_NEAR(noise.tau2, 0.0225, 1e-12);
  // Plenty of data: the data.
  double tau2 = 0;
  for (int i = 0; i < 100; ++i) {
    tau2 += measure_noise(drawn_groups(&random, 200, 1e6, 0.01, 1, 0.3), MetricKind::Binary,
                          Assignment::Instance, prior)
                .tau2;
  }
  EXPECT_NEAR(std::sqrt(tau2 / 100), 0.3, 0.03);
}

TEST(Noise, StrataOfDifferentRatesAreNotNoise) {
  Random random(7);
  std::vector<GroupTotal> groups;
  for (int i = 0; i < 64; ++i)
    groups.push_back({10'000, double(random.poisson(i % 2 ? 50 : 500)), std::uint32_t(i % 2)});
  EXPECT_LT(measure_noise(groups, MetricKind::Count, Assignment::Player, {}).phi, 1.6);
  for (auto& g : groups) g.stratum = 0;
  EXPECT_GT(measure_noise(groups, MetricKind::Count, Assignment::Player, {}).phi, 50);
}

TEST(Noise, UnequalGroupsCountForFewer) {
  const double even[] = {5, 5, 5, 5};
  const double uneven[] = {97, 1, 1, 1};
  EXPECT_NEAR(effective_groups(even), 4, 1e-12);
  EXPECT_NEAR(effective_groups(uneven), 1.06, 0.01);
}

// Hundreds of instances leave tails thinner than any double: the null's mass stays at its margin.
TEST(Grid, TheNullOfALargeFleetKeepsItsMassAtTheMargin) {
  for (const double nu : {6.0, 278.0, 3'000.0}) {
    for (const double sd : {0.004, 0.0095, 0.15}) {
      const GridMixture null = mixture_student(0.014, sd, nu);
      double near = 0, all = 0;
      for (std::size_t j = 0; j < kGridNodes; ++j) {
        all += null.weight[j];
        if (std::abs(grid_axis().beta[j] - 0.014) < 12 * sd) near += null.weight[j];
      }
      EXPECT_NEAR(all, 1, 1e-9) << nu << " " << sd;
      EXPECT_GT(near, 0.99) << nu << " " << sd;
    }
  }
}

}  // namespace
}  // namespace showcaller
