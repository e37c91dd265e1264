// SPDX-License-Identifier: Apache-2.0
// The few special functions the gate needs: normal and Student tails, their inverses, log gamma,
// log beta. Relative error below 1e-9 over the ranges used (tails down to 1e-300). Pure.
#pragma once

namespace showcaller {

double log_gamma(double x);           // x > 0
double log_beta(double a, double b);  // a, b > 0
// P(Z > z).
double normal_tail(double z);
// The z with P(Z > z) = p, p in (0, 1).
double normal_tail_inverse(double p);
// P(T > t) with nu > 0 degrees of freedom, not necessarily whole.
double student_tail(double t, double nu);
double student_tail_inverse(double p, double nu);
// P(X <= x) of a Beta(a, b).
double beta_cdf(double x, double a, double b);

}  // namespace showcaller
