// SPDX-License-Identifier: Apache-2.0
// The conditional log-likelihood of canary events given all events, on a fixed grid of log-ratios,
// and the mixtures over it that make e-values of it.
//
// beta_j = 0.05 sinh(0.06 (j - 73)), j = 0..160; node 73 is exactly 0. Three slots behind the nodes
// hold the margins that must be exact: the acceptable growth, the catastrophe margin, the budget of
// the promotion certificate. exp and log are our own, two lanes of plain IEEE arithmetic: equal
// results on every machine.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

namespace showcaller {

inline constexpr std::size_t kGridNodes = 161;
inline constexpr std::size_t kGridZero = 73;
enum GridSlot : std::size_t { kSlotMargin = kGridNodes, kSlotCatastrophe, kSlotSafe, kGridSlots };
static_assert(kGridSlots % 2 == 0);

struct alignas(16) GridRow {
  std::array<double, kGridSlots> at{};
  double& operator[](std::size_t i) { return at[i]; }
  double operator[](std::size_t i) const { return at[i]; }
};

struct GridAxis {
  GridRow beta;
  GridRow exp_beta_less_one;
  GridRow step;  // trapezoid widths
};
const GridAxis& grid_axis();

// Weights over a run of nodes, summing to one.
struct GridMixture {
  GridRow weight;
  std::size_t first = 0, last = kGridNodes;  // nonzero in [first, last)
};

struct ExponentialPart {
  double mean, weight;
};

// Alternatives above `margin`: exponentials in beta - margin.
GridMixture mixture_above(double margin, std::initializer_list<ExponentialPart> parts);
// The mirror image, below.
GridMixture mixture_below(double margin, std::initializer_list<ExponentialPart> parts);
// "As good as the baseline": a normal around zero, cut off at `margin`.
GridMixture mixture_safe(double margin, double sd);
// What a harmless instance effect can do: Student's t around `margin`.
GridMixture mixture_student(double margin, double sd, double nu);

// log(1 + w (e^beta - 1)) at every node, for one share of exposure. Shared by all metrics of a tick
// with that share.
struct ShareTable {
  double share = -1;
  GridRow log_term;
  void fill(double w);
};

// The three exact margins of a series.
struct GridMargins {
  std::array<double, 3> beta{};
  std::array<double, 3> exp_less_one{};
};
GridMargins grid_margins(double margin, double catastrophe, double safe);

// l_j += canary * beta_j - all * log_term_j, margins included.
void add_events(GridRow* l, double canary, double all, const ShareTable& table,
                const GridMargins& margins);
GridRow difference(const GridRow& a, const GridRow& b);

// log sum_j weight_j exp(l_j / phi).
double log_mixture(const GridRow& l, double phi, const GridMixture& mixture);
struct GridPeak {
  double l, beta;
};
// The largest l_j over nodes with beta_j >= beta, at least `floor`, and where.
GridPeak peak_above(const GridRow& l, double beta, double floor);
// The same with beta_j <= beta.
GridPeak peak_below(const GridRow& l, double beta, double floor);

double exact_exp(double x);
double exact_log(double x);

}  // namespace showcaller
