// SPDX-License-Identifier: Apache-2.0
// `fractional` with constant weights and variants: buckets whose ends are summed beforehand, and
// what is hashed as far as it is known.
#include <algorithm>
#include <cmath>
#include <limits>

#include "flag/coercion.h"
#include "flag/context.h"
#include "flag/logic_compiler.h"

namespace showcaller {
namespace {

bool is_flag_key(const json::value& rule) {
  const auto* object = rule.if_object();
  if (object == nullptr || object->size() != 1 || object->begin()->key() != "var") return false;
  const json::value& given = object->begin()->value();
  const auto* list = given.if_array();
  return (list != nullptr && list->size() == 1 ? (*list)[0] : given) == "$flagd.flagKey";
}

}  // namespace

ConstantRef LogicCompiler::constant_of(const Value& value) {
  const auto variant = variant_of(value);
  if (variant && value.is(ValueKind::String)) return ConstantRef::variant(*variant);
  return ConstantRef::literal(literal_of(variant ? value.naming(*variant + 1) : value));
}

std::optional<std::uint32_t> LogicCompiler::variant_of(const Value& value) const {
  if (owner_.variant_count == 0 || value.is_nullish() || value.kind() > ValueKind::String)
    return std::nullopt;
  const std::string number = value.is(ValueKind::Number) ? number_to_text(value.as_number()) : "";
  const std::string_view name = value.is(ValueKind::String)   ? value.as_string()
                                : value.is(ValueKind::Number) ? std::string_view(number)
                                : value.as_bool()             ? "true"
                                                              : "false";
  for (std::uint32_t i = 0; i < owner_.variant_count; ++i) {
    const std::uint32_t place = owner_.variants + i;
    if (program_.variants[place].name() == name) return place;
  }
  return std::nullopt;
}

// Reads one [variant, weight] whose parts are constants.
bool LogicCompiler::add_bucket(const Node& node, std::vector<Bucket>* buckets) {
  if (node.op != Op::Literal || !node.literal.is_array()) return false;
  const std::size_t size = node.literal.array_size();
  if (size == 0 || size > 2) return false;
  const Value variant = node.literal.array_at(0);
  if (variant.kind() > ValueKind::String) return false;
  double weight = 1;
  if (size == 2) {
    const Value given = node.literal.array_at(1);
    if (!given.is(ValueKind::Number)) return false;
    weight = given.as_number();
  }
  constexpr double kWeightMax = std::numeric_limits<std::int32_t>::max();
  if (std::trunc(weight) != weight) return false;
  const double end = std::max(0.0, weight) + (buckets->empty() ? 0 : buckets->back().end);
  if (end > kWeightMax) return false;
  buckets->push_back({.end = std::uint32_t(end), .variant = constant_of(variant)});
  return true;
}

void LogicCompiler::add_share(std::uint32_t index, const Arguments& arguments) {
  const Node node = program_.nodes[index];
  Share share{.node = index};
  std::vector<Bucket> buckets;
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const Node& argument = program_.nodes[program_.children[node.first + i]];
    const bool is_bucket =
        argument.op == Op::Array || (argument.op == Op::Literal && argument.literal.is_array());
    if (i == 0 && !is_bucket) {
      set_bucketing(arguments.items[0], &share);
    } else if (!add_bucket(argument, &buckets)) {
      return;
    }
  }
  share.bucket_count = std::uint32_t(buckets.size());
  if (buckets.size() <= Share::kFew) {
    std::ranges::copy(buckets, share.few);
  } else {
    share.first_bucket = std::uint32_t(program_.buckets.size());
    program_.buckets.insert(program_.buckets.end(), buckets.begin(), buckets.end());
  }
  if (const auto key = attribute_at(kTargetingKey)) {
    share.in_context = true;
    share.targeting_key = *key;
  }
  program_.shares.push_back(share);
  program_.nodes[index].share = std::uint32_t(program_.shares.size());
}

// An attribute, or `cat` of texts known now and an attribute; anything else is asked for each time.
void LogicCompiler::set_bucketing(const json::value& by, Share* share) {
  share->by = Share::By::Expression;
  if (const auto attribute = attribute_of(by)) {
    program_.attributes[*attribute].hashed = true;
    share->by = Share::By::Attribute;
    share->attribute = *attribute;
    return;
  }
  const auto* object = by.if_object();
  if (object == nullptr || object->size() != 1 || object->begin()->key() != "cat") return;
  const Arguments parts(object->begin()->value());
  if (parts.items.empty()) return;
  const auto attribute = attribute_of(parts.items.back());
  if (!attribute) return;
  std::string prefix;
  for (const json::value& part : parts.items.first(parts.items.size() - 1)) {
    if (const auto* text = part.if_string()) {
      prefix.append(text->data(), text->size());
    } else if (owner_.flag_key && is_flag_key(part)) {
      prefix += *owner_.flag_key;
    } else {
      return;
    }
  }
  share->by = Share::By::Attribute;
  share->attribute = *attribute;
  share->prefixed = true;
  share->prefix = MurmurPrefix(prefix);
}

}  // namespace showcaller
