// SPDX-License-Identifier: Apache-2.0
// JavaScript's conversions and comparisons, which JSONLogic takes for granted.
//
// Source: ECMA-262 (ToNumber, ToString, Number::toString, IsLooselyEqual, IsLessThan) and
// json-logic-js, whose truth differs from JavaScript's in one point: an empty array is false.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "flag/scratch.h"
#include "flag/value.h"

namespace showcaller {

bool is_truthy(const Value& value);

// 1 → "1", 0.1 → "0.1", 1e21 → "1e+21", as JavaScript prints them.
std::string number_to_text(double number);
// Number("…"): white space around, "" is 0, hexadecimal; anything else NaN.
double text_to_number(std::string_view text);
// parseFloat("…"): the longest number at the start.
double parse_float_prefix(std::string_view text);

double to_number(const Value& value, Scratch* scratch);
// parseFloat(value).
double to_float(const Value& value, Scratch* scratch);
std::string_view to_text(const Value& value, Scratch* scratch);

bool strictly_equal(const Value& a, const Value& b);
bool loosely_equal(const Value& a, const Value& b, Scratch* scratch);
enum class Order { Less, LessOrEqual };
bool is_ordered(const Value& a, const Value& b, Order order, Scratch* scratch);

// Fails where a value nests deeper than JSON of ours may.
Result<json::value> value_to_json(const Value& value);

}  // namespace showcaller
