// SPDX-License-Identifier: Apache-2.0
// Evaluating a flag: the compiled set against the naive interpreter of the tests, which walks the
// rule's JSON, over the same context of ten attributes.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/json.h"
#include "bench/figure.h"
#include "flag/exposure.h"
#include "flag/flag_set.h"
#include "tests/flag/reference_logic.h"

namespace showcaller {
namespace {

constexpr Instant kNow = instant_ms(1'760'000'000'000);

const char* kFlags = R"({"flags":{
  "plain":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"},
  "rule":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
    "targeting":{"if":[{"==":[{"var":"region"},"eu-west"]},"on",null]}},
  "three":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
    "targeting":{"if":[{"and":[{"in":[{"var":"region"},["ap-southeast","us-east","eu-west"]]},
      {">=":[{"var":"level"},20]},{"sem_ver":[{"var":"version"},">=","2.4.0"]}]},"on",null]}},
  "share":{"state":"ENABLED","variants":{"canary":true,"baseline":false},"defaultVariant":"baseline",
    "targeting":{"fractional":[{"cat":["5f3c9a7be1",{"var":"party"}]},["canary",10000],["baseline",990000]]}}}})";

const char* kContext = R"({"targetingKey":"player-812736","party":"party-55120","region":"eu-west",
  "platform":"pc","version":"2.4.1","level":37,"tier":"gold","language":"de","group":"player","beta":false})";

// What an SDK does for a call: a flat context that views what the game already holds.
EvaluationContext flat_context(const json::object& attributes) {
  EvaluationContext context;
  for (const auto& [key, value] : attributes) context.set({key.data(), key.size()}, value);
  return context;
}

bench::Figure figure(const char* name, const FlagSet& set, std::string_view key) {
  const json::value attributes = *parse_json(kContext);
  const EvaluationContext context = flat_context(attributes.get_object());
  const json::value& flag = set.document().at("flags").at(key);
  json::value seen = attributes;
  seen.get_object()["$flagd"] = json::object{{"flagKey", key}, {"timestamp", 1'760'000'000}};
  const auto* rule = flag.as_object().if_contains("targeting");
  std::uint64_t sink = 0;
  const auto ours = [&] {
    constexpr std::uint64_t kOps = 300'000;
    for (std::uint64_t i = 0; i < kOps; ++i) {
      sink += set.evaluate(key, context, kNow, FlagType::Boolean).value->get_bool();
    }
    return kOps;
  };
  const auto naive = [&] {
    constexpr std::uint64_t kOps = 10'000;
    reference::Interpreter interpreter(
        {.flag_key = std::string(key), .timestamp_s = 1'760'000'000});
    for (std::uint64_t i = 0; i < kOps; ++i) {
      reference::Maybe result;
      if (rule != nullptr) result = interpreter.run(*rule, seen);
      const std::string variant = result && !result->is_null()
                                      ? reference::text_of(result)
                                      : std::string(flag.at("defaultVariant").as_string());
      sink += flag.at("variants").at(variant).get_bool();
    }
    return kOps;
  };
  bench::Figure out = bench::compare(name, "ns/op", ours, naive, "naive interpreter");
  CHECK(sink > 0 || key == "share");
  return out;
}

bench::Figure compiling() {
  json::object flags;
  const json::value one = parse_json(kFlags)->at("flags").at("three");
  for (int i = 0; i < 1000; ++i) flags.emplace("flag-" + std::to_string(i), one);
  const std::string text = to_json_text(json::object{{"flags", flags}});
  const auto compile = [&]() -> std::uint64_t {
    const auto set = FlagSet::parse(text);
    CHECK(set.has_value());
    return set->size();
  };
  const auto parse = [&]() -> std::uint64_t {
    CHECK(parse_json(text).has_value());
    return 1000;
  };
  return bench::compare("flag_compile", "ns/op", compile, parse, "parsing the JSON alone");
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  const auto set = FlagSet::parse(kFlags);
  CHECK(set.has_value());
  bench::print_figures(
      argc, argv,
      {figure("flag_eval_static", *set, "plain"), figure("flag_eval_one_rule", *set, "rule"),
       figure("flag_eval_three_conditions", *set, "three"),
       figure("flag_eval_exposure", *set, "share"), compiling()});
}
