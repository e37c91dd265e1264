// SPDX-License-Identifier: Apache-2.0
#include "flow/probe_journey.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace showcaller {
namespace {

using Values = std::map<std::string, std::string>;
constexpr std::size_t kShownMax = 120;

// What a stranger wrote, fit for a record: printable, on one line, short.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kShownMax));
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

Status fill(std::string* text, const Values& values) {
  TRY(*text, filled(*text, values));
  return {};
}
Status fill(std::map<std::string, std::string>* texts, const Values& values) {
  for (auto& [key, text] : *texts) TRY(fill(&text, values));
  return {};
}

struct Filling {
  const Values& values;
  const std::string& base_url;

  Status operator()(HttpProbeStep& step) const {
    TRY(fill(&step.url, values));
    TRY(fill(&step.body, values));
    TRY(fill(&step.headers, values));
    if (!step.url.starts_with('/')) return {};
    if (base_url.empty())
      return fail(ErrorCode::NotFound,
                  fmt::format("'{}' lies below no URL; give the probe's Service one", step.url));
    std::string whole = base_url;
    while (whole.ends_with('/')) whole.pop_back();
    step.url.insert(0, whole);
    return {};
  }
  Status operator()(TcpProbeStep& step) const {
    TRY(fill(&step.address, values));
    return fill(&step.send, values);
  }
  Status operator()(UdpProbeStep& step) const {
    TRY(fill(&step.address, values));
    return fill(&step.send, values);
  }
  Status operator()(GrpcProbeStep& step) const {
    TRY(fill(&step.address, values));
    return fill(&step.service, values);
  }
  Status operator()(ScriptProbeStep& step) const {
    for (std::string& word : step.command) TRY(fill(&word, values));
    return fill(&step.env, values);
  }
};

std::string as_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : to_json_text(value);
}

const json::value* at_pointer(const json::value& document, const std::string& pointer) {
  boost::system::error_code error;
  return document.find_pointer(pointer, error);
}

bool is_good_status(const ProbeStep& step, int status) {
  const auto& wanted = step.expect.status;
  if (!wanted.empty()) return std::ranges::find(wanted, status) != wanted.end();
  if (std::holds_alternative<HttpProbeStep>(step.what)) return status >= 200 && status < 300;
  return status == 0;
}

std::string wanted_status(const ProbeStep& step) {
  if (!step.expect.status.empty()) return fmt::format("{}", fmt::join(step.expect.status, ", "));
  return std::holds_alternative<HttpProbeStep>(step.what) ? "200-299" : "0";
}

std::string unmet_json(const ProbeStep& step, const std::string& body) {
  if (step.expect.json.empty()) return {};
  const auto document = parse_json(body);
  if (!document) return fmt::format("the answer is no JSON: {}", shown(body));
  for (const auto& [pointer, wanted] : step.expect.json) {
    const json::value* there = at_pointer(*document, pointer);
    if (!there) return fmt::format("the answer has no {}", pointer);
    if (*there != wanted)
      return fmt::format("{} is {} instead of {}", pointer, shown(to_json_text(*there)),
                         shown(to_json_text(wanted)));
  }
  return {};
}

Status keep(const ProbeStep& step, const std::string& body, Values* values) {
  if (step.keep.empty()) return {};
  const auto document = parse_json(body);
  if (!document)
    return fail(ErrorCode::Invalid,
                fmt::format("nothing can be kept: the answer is no JSON: {}", shown(body)));
  for (const auto& [name, pointer] : step.keep) {
    const json::value* there = at_pointer(*document, pointer);
    if (!there)
      return fail(ErrorCode::Invalid,
                  fmt::format("there is no {} in the answer to keep as '{}'", pointer, name));
    (*values)[name] = as_text(*there);
  }
  return {};
}

}  // namespace

Result<std::string> filled(std::string_view text,
                           const std::map<std::string, std::string>& values) {
  std::string out;
  for (;;) {
    const std::size_t at = text.find("${");
    out += text.substr(0, at);
    if (at == text.npos) return out;
    text.remove_prefix(at + 2);
    const std::size_t end = text.find('}');
    const std::string name(text.substr(0, end));
    const auto found = values.find(name);
    if (end == text.npos || found == values.end()) {
      return fail(ErrorCode::Invalid,
                  fmt::format("no step before kept '{}'; add it to the `keep` of one", name));
    }
    out += found->second;
    text.remove_prefix(end + 1);
  }
}

std::string unmet(const ProbeStep& step, const ProbeAnswer& answer, Duration took) {
  if (!answer.error.empty()) return shown(answer.error);
  if (!is_good_status(step, answer.status)) {
    const std::string said = shown(answer.body);
    return fmt::format("{} instead of {}{}{}", answer.status, wanted_status(step),
                       said.empty() ? "" : ": ", said);
  }
  if (!step.expect.contains.empty() && answer.body.find(step.expect.contains) == std::string::npos)
    return fmt::format("the answer does not hold '{}': {}", shown(step.expect.contains),
                       shown(answer.body));
  if (std::string wrong = unmet_json(step, answer.body); !wrong.empty()) return wrong;
  if (step.expect.within && took > *step.expect.within)
    return fmt::format("it took longer than {}", format_duration(*step.expect.within));
  return {};
}

ProbeJourney::ProbeJourney(const ProbeCall& call)
    : call_(call), context_{call.traceparent, {{"region", call.region}}} {}

void ProbeJourney::fail(const std::string& step, std::string why) {
  result_.wrong = fmt::format("{}: {}", step, why);
  if (result_.steps.empty() || result_.steps.back().step != step)
    result_.steps.push_back({step, {}, {}});
  result_.steps.back().wrong = std::move(why);
}

std::optional<ProbeStep> ProbeJourney::next() {
  if (!result_.good() || at_ >= call_.spec.steps.size()) return std::nullopt;
  ProbeStep step = call_.spec.steps[at_];
  if (time_left() <= Duration(0)) {
    fail(step.name,
         fmt::format("the journey took longer than {}", format_duration(call_.spec.timeout)));
    return std::nullopt;
  }
  const Status whole = std::visit(Filling{context_.values, call_.base_url}, step.what);
  if (whole) return step;
  fail(step.name, whole.error().message);
  return std::nullopt;
}

void ProbeJourney::answered(const ProbeAnswer& answer, Duration took) {
  const ProbeStep& step = call_.spec.steps[at_++];
  result_.took += took;
  result_.steps.push_back({step.name, took, {}});
  if (std::string wrong = unmet(step, answer, took); !wrong.empty())
    return fail(step.name, std::move(wrong));
  if (const Status kept = keep(step, answer.body, &context_.values); !kept)
    fail(step.name, kept.error().message);
}

}  // namespace showcaller
