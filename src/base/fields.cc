// SPDX-License-Identifier: Apache-2.0
#include "base/fields.h"

namespace showcaller {
namespace {

void put_digits(char* at, int digits, std::int64_t value) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = char('0' + value % 10);
}

}  // namespace

void append_instant(std::string* out, Instant t) {
  const auto days = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date(days);
  const std::int64_t ms = (t - days).count();
  char text[] = "\"0000-00-00T00:00:00.000Z\"";
  put_digits(text + 1, 4, int(date.year()));
  put_digits(text + 6, 2, unsigned(date.month()));
  put_digits(text + 9, 2, unsigned(date.day()));
  put_digits(text + 12, 2, ms / 3'600'000);
  put_digits(text + 15, 2, ms / 60'000 % 60);
  put_digits(text + 18, 2, ms / 1000 % 60);
  put_digits(text + 21, 3, ms % 1000);
  out->append(text, sizeof text - 1);
}

}  // namespace showcaller
