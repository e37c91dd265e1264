// SPDX-License-Identifier: Apache-2.0
// google.protobuf.Struct ⇄ JSON, and a Struct as an evaluation context without copying it.
//
// Threads: none. Included by flagd's services alone.
#pragma once

#include <deque>

#include "base/json.h"
#include "flag/context.h"
#include "flagd_evaluation_v2.pb.h"

namespace showcaller {

json::value to_json(const google::protobuf::Value& value);
json::object to_json(const google::protobuf::Struct& fields);
void fill(const json::value& from, google::protobuf::Value* to);
void fill(const json::object& from, google::protobuf::Struct* to);

// Views the message; only what is nested is copied, or everything when there are many attributes.
class StructContext {
 public:
  explicit StructContext(const google::protobuf::Struct& fields);
  StructContext(const StructContext&) = delete;
  StructContext& operator=(const StructContext&) = delete;

  const EvaluationContext& context() const { return context_; }

 private:
  std::deque<json::value> nested_;
  json::object many_;
  EvaluationContext context_;
};

}  // namespace showcaller
