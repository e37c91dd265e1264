// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/struct_convert.h"

#include <cmath>

namespace showcaller {
namespace {

using ProtoValue = google::protobuf::Value;

// Up to here a list of attributes is quicker than a table of them.
constexpr int kFewAttributes = 32;

// Protobuf knows only doubles; JSON's integers stay integers where nothing is lost.
json::value json_number(double value) {
  constexpr double kExact = 9007199254740991.0;
  if (std::trunc(value) == value && std::abs(value) <= kExact) return std::int64_t(value);
  return value;
}

}  // namespace

json::value to_json(const ProtoValue& value) {
  switch (value.kind_case()) {
    case ProtoValue::kNumberValue:
      return json_number(value.number_value());
    case ProtoValue::kStringValue:
      return json::value(value.string_value());
    case ProtoValue::kBoolValue:
      return value.bool_value();
    case ProtoValue::kStructValue:
      return to_json(value.struct_value());
    case ProtoValue::kListValue: {
      json::array items;
      for (const ProtoValue& item : value.list_value().values()) items.push_back(to_json(item));
      return items;
    }
    case ProtoValue::kNullValue:
    case ProtoValue::KIND_NOT_SET:
      break;
  }
  return nullptr;
}

json::object to_json(const google::protobuf::Struct& fields) {
  json::object object;
  for (const auto& [name, value] : fields.fields()) object[name] = to_json(value);
  return object;
}

void fill(const json::value& from, ProtoValue* to) {
  switch (from.kind()) {
    case json::kind::null:
      return to->set_null_value(google::protobuf::NULL_VALUE);
    case json::kind::bool_:
      return to->set_bool_value(from.get_bool());
    case json::kind::string:
      return to->set_string_value(from.get_string().data(), from.get_string().size());
    case json::kind::array:
      to->mutable_list_value();
      for (const json::value& item : from.get_array())
        fill(item, to->mutable_list_value()->add_values());
      return;
    case json::kind::object:
      return fill(from.get_object(), to->mutable_struct_value());
    default:
      return to->set_number_value(from.to_number<double>());
  }
}

void fill(const json::object& from, google::protobuf::Struct* to) {
  auto& fields = *to->mutable_fields();
  for (const auto& [name, value] : from) fill(value, &fields[std::string(name)]);
}

StructContext::StructContext(const google::protobuf::Struct& fields) {
  if (fields.fields_size() > kFewAttributes) {
    many_ = to_json(fields);
    context_ = EvaluationContext(many_);
    return;
  }
  for (const auto& [name, value] : fields.fields()) {
    switch (value.kind_case()) {
      case ProtoValue::kNumberValue:
        context_.set(name, value.number_value());
        break;
      case ProtoValue::kStringValue:
        context_.set(name, std::string_view(value.string_value()));
        break;
      case ProtoValue::kBoolValue:
        context_.set(name, value.bool_value());
        break;
      default:
        context_.set(name, nested_.emplace_back(to_json(value)));
    }
  }
}

}  // namespace showcaller
