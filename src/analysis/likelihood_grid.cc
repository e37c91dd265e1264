// SPDX-License-Identifier: Apache-2.0
#include "analysis/likelihood_grid.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace showcaller {
namespace {

using V2 = double __attribute__((vector_size(16)));
using U2 = std::uint64_t __attribute__((vector_size(16)));

V2 both(double x) {
  return V2{x, x};
}
V2 load(const GridRow& row, std::size_t i) {
  return V2{row[i], row[i + 1]};
}
void store(GridRow* row, std::size_t i, V2 v) {
  (*row)[i] = v[0];
  (*row)[i + 1] = v[1];
}

constexpr double kLogLeast = -708;  // of what exp2lanes() takes

V2 at_least(V2 x, double least) {
  return V2{std::max(x[0], least), std::max(x[1], least)};
}

// exp by range reduction to |r| <= ln(2)/2 and a Taylor polynomial; error below 2 units in the last
// place. The caller keeps x within [-708, 709].
V2 exp2lanes(V2 x) {
  const V2 shifter = both(0x1.8p52);
  const V2 shifted = x * both(0x1.71547652b82fep0) + shifter;
  const V2 k = shifted - shifter;
  V2 r = x - k * both(0x1.62e42fefa0000p-1);
  r = r - k * both(0x1.cf79abc9e3b3ap-40);
  static constexpr double kInverseFactorial[] = {1.0 / 479001600,
                                                 1.0 / 39916800,
                                                 1.0 / 3628800,
                                                 1.0 / 362880,
                                                 1.0 / 40320,
                                                 1.0 / 5040,
                                                 1.0 / 720,
                                                 1.0 / 120,
                                                 1.0 / 24,
                                                 1.0 / 6,
                                                 0.5,
                                                 1.0,
                                                 1.0};
  V2 p = both(kInverseFactorial[0]);
  for (int i = 1; i < 13; ++i) p = p * r + both(kInverseFactorial[i]);
  // The low bits of `shifted` are k in two's complement.
  const U2 power = (U2(shifted) + U2{1023, 1023}) << 52;
  return p * V2(power);
}

// log by the decomposition x = 2^e m, m in [sqrt(1/2), sqrt(2)), and the minimax series of fdlibm
// in s = f / (2 + f). For positive normal x.
V2 log2lanes(V2 x) {
  constexpr std::uint64_t kHalfRoot = 0x3fe6a09e667f3bcd;  // bits of sqrt(1/2)
  constexpr std::uint64_t kBias = std::uint64_t(1024) << 52;
  const U2 bits = U2(x);
  const U2 biased = (bits - U2{kHalfRoot, kHalfRoot} + U2{kBias, kBias}) >> 52;  // e + 1024
  const V2 m = V2(bits - (biased << 52) + U2{kBias, kBias});
  const V2 e = V2(biased | U2{0x4330000000000000, 0x4330000000000000}) - both(0x1.0p52 + 1024);
  const V2 f = m - both(1);
  const V2 s = f / (both(2) + f);
  const V2 z = s * s;
  V2 series = both(1.479819860511658591e-01);
  for (const double c :
       {1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
        2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01}) {
    series = series * z + both(c);
  }
  series = series * z;
  const V2 half_square = both(0.5) * f * f;
  const V2 low = s * (half_square + series) + e * both(1.90821492927058770002e-10);
  return e * both(6.93147180369123816490e-01) - ((half_square - low) - f);
}

constexpr double kNegligible = -80;

GridAxis make_axis() {
  GridAxis axis;
  for (std::size_t j = 0; j < kGridNodes; ++j) {
    const double u = 0.06 * (double(j) - double(kGridZero));
    const double e = exact_exp(u);
    axis.beta[j] = j == kGridZero ? 0.0 : 0.05 * (e - 1 / e) / 2;
    axis.exp_beta_less_one[j] = exact_exp(axis.beta[j]) - 1;
  }
  for (std::size_t j = 0; j < kGridNodes; ++j) {
    const double left = j > 0 ? axis.beta[j] - axis.beta[j - 1] : 0;
    const double right = j + 1 < kGridNodes ? axis.beta[j + 1] - axis.beta[j] : 0;
    axis.step[j] = (left + right) / 2;
  }
  return axis;
}

void normalise(GridMixture* mixture) {
  double sum = 0;
  mixture->first = kGridNodes;
  mixture->last = 0;
  for (std::size_t j = 0; j < kGridNodes; ++j) {
    if (mixture->weight[j] <= 0) continue;
    sum += mixture->weight[j];
    mixture->first = std::min(mixture->first, j);
    mixture->last = j + 1;
  }
  if (sum <= 0) {
    mixture->first = mixture->last = 0;
    return;
  }
  for (std::size_t j = mixture->first; j < mixture->last; ++j) mixture->weight[j] /= sum;
}

}  // namespace

double exact_exp(double x) {
  if (x > 709) return std::numeric_limits<double>::infinity();
  return exp2lanes(both(std::max(x, kLogLeast)))[0];
}

double exact_log(double x) {
  if (!(x >= std::numeric_limits<double>::min())) return -std::numeric_limits<double>::infinity();
  return log2lanes(both(x))[0];
}

const GridAxis& grid_axis() {
  static const GridAxis axis = make_axis();
  return axis;
}

GridMixture mixture_above(double margin, std::initializer_list<ExponentialPart> parts) {
  GridMixture out;
  const GridAxis& axis = grid_axis();
  for (std::size_t j = 0; j < kGridNodes; ++j) {
    const double over = axis.beta[j] - margin;
    if (over <= 1e-12) continue;
    double density = 0;
    for (const auto& part : parts)
      density += part.weight / part.mean * exact_exp(-over / part.mean);
    out.weight[j] = density * axis.step[j];
  }
  normalise(&out);
  return out;
}

GridMixture mixture_below(double margin, std::initializer_list<ExponentialPart> parts) {
  GridMixture out;
  const GridAxis& axis = grid_axis();
  for (std::size_t j = 0; j < kGridNodes; ++j) {
    const double under = margin - axis.beta[j];
    if (under <= 1e-12) continue;
    double density = 0;
    for (const auto& part : parts)
      density += part.weight / part.mean * exact_exp(-under / part.mean);
    out.weight[j] = density * axis.step[j];
  }
  normalise(&out);
  return out;
}

GridMixture mixture_safe(double margin, double sd) {
  GridMixture out;
  const GridAxis& axis = grid_axis();
  for (std::size_t j = 0; j < kGridNodes; ++j) {
    if (axis.beta[j] >= margin - 1e-12) continue;
    const double z = axis.beta[j] / sd;
    out.weight[j] = exact_exp(-z * z / 2) * axis.step[j];
  }
  normalise(&out);
  return out;
}

GridMixture mixture_student(double margin, double sd, double nu) {
  GridMixture out;
  const GridAxis& axis = grid_axis();
  const V2 scale = both(1 / (sd * sd * nu));
  const V2 power = both(-(nu + 1) / 2);
  V2 sum = both(0);
  for (std::size_t j = 0; j < kGridNodes; j += 2) {
    const V2 d = load(axis.beta, j) - both(margin);
    // A large fleet's tails are thinner than a double can tell: what is that far out weighs
    // nothing.
    const V2 log_density = at_least(power * log2lanes(both(1) + d * d * scale), kLogLeast);
    // The step behind the last node is zero.
    const V2 weight = exp2lanes(log_density) * load(axis.step, j);
    store(&out.weight, j, weight);
    sum += weight;
  }
  const V2 scale_to_one = both(1 / (sum[0] + sum[1]));
  for (std::size_t j = 0; j < kGridNodes; j += 2)
    store(&out.weight, j, load(out.weight, j) * scale_to_one);
  return out;
}

void ShareTable::fill(double w) {
  if (w == share) return;
  share = w;
  const GridAxis& axis = grid_axis();
  for (std::size_t j = 0; j < kGridNodes; j += 2) {
    store(&log_term, j, log2lanes(both(1) + both(w) * load(axis.exp_beta_less_one, j)));
  }
}

GridMargins grid_margins(double margin, double catastrophe, double safe) {
  GridMargins out;
  out.beta = {margin, catastrophe, safe};
  for (std::size_t i = 0; i < 3; ++i) out.exp_less_one[i] = exact_exp(out.beta[i]) - 1;
  return out;
}

void add_events(GridRow* l, double canary, double all, const ShareTable& table,
                const GridMargins& margins) {
  const GridAxis& axis = grid_axis();
  const V2 c = both(canary);
  const V2 e = both(all);
  // The last lane touches the margin slot with zeros of the axis; the loop below sets it right.
  const double margin_before = (*l)[kSlotMargin];
  for (std::size_t j = 0; j < kGridNodes; j += 2) {
    store(l, j, load(*l, j) + (c * load(axis.beta, j) - e * load(table.log_term, j)));
  }
  (*l)[kSlotMargin] = margin_before;
  for (std::size_t i = 0; i < 3; ++i) {
    (*l)[kGridNodes + i] +=
        canary * margins.beta[i] - all * exact_log(1 + table.share * margins.exp_less_one[i]);
  }
}

GridRow difference(const GridRow& a, const GridRow& b) {
  GridRow out;
  for (std::size_t j = 0; j < kGridSlots; j += 2) store(&out, j, load(a, j) - load(b, j));
  return out;
}

double log_mixture(const GridRow& l, double phi, const GridMixture& mixture) {
  if (mixture.first >= mixture.last) return -std::numeric_limits<double>::infinity();
  double top = l[mixture.first];
  for (std::size_t j = mixture.first; j < mixture.last; ++j) top = std::max(top, l[j]);
  const V2 peak = both(top);
  const V2 scale = both(1 / phi);
  V2 sum = both(0);
  // Weights outside [first, last) are zero, so whole lanes are safe; slots behind the nodes have
  // weight zero too.
  for (std::size_t j = mixture.first & ~std::size_t(1); j < mixture.last; j += 2) {
    V2 v = (load(l, j) - peak) * scale;
    // Where little is left of the likelihood no weight can make up for it.
    if (v[0] < kNegligible && v[1] < kNegligible) continue;
    v = v > both(kNegligible) ? v : both(kNegligible);
    v = v < both(0) ? v : both(0);
    sum += load(mixture.weight, j) * exp2lanes(v);
  }
  return top / phi + exact_log(sum[0] + sum[1]);
}

GridPeak peak_above(const GridRow& l, double beta, double floor) {
  const GridAxis& axis = grid_axis();
  GridPeak peak{floor, beta};
  for (std::size_t j = kGridNodes; j > 0 && axis.beta[j - 1] >= beta; --j) {
    if (l[j - 1] > peak.l) peak = {l[j - 1], axis.beta[j - 1]};
  }
  return peak;
}

GridPeak peak_below(const GridRow& l, double beta, double floor) {
  const GridAxis& axis = grid_axis();
  GridPeak peak{floor, beta};
  for (std::size_t j = 0; j < kGridNodes && axis.beta[j] <= beta; ++j) {
    if (l[j] > peak.l) peak = {l[j], axis.beta[j]};
  }
  return peak;
}

}  // namespace showcaller
