// SPDX-License-Identifier: Apache-2.0
#include "cli/feature_words.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

struct FeatureWords {
  std::string service, feature;
  bool dry_run = false;
};
using FeatureVerb = int (*)(const ClientContext&, const FeatureWords&);

// A row a feature that can be withdrawn, or is.
json::array feature_rows(const json::object& service) {
  json::array rows;
  const json::array& gone = service.at("withdrawn").as_array();
  const auto row = [&](const std::string& feature) {
    json::object out{{"service", text_at(service, "service")}, {"feature", feature}};
    out["state"] = "given";
    for (const json::value& each : gone) {
      const json::object& withdrawn = each.as_object();
      if (text_at(withdrawn, "feature") != feature) continue;
      const std::string by = text_at(withdrawn, "by");
      out["state"] = "withdrawn";
      out["by"] = by.empty() ? "engine" : by;
      out["since"] = text_at(withdrawn, "since");
      out["reason"] = text_at(withdrawn, "reason");
    }
    return out;
  };
  std::vector<std::string> names;
  if (const json::value* features = service.if_contains("features")) {
    for (const json::value& each : features->as_array())
      names.push_back(text_at(each.as_object(), "feature"));
  }
  for (const json::value& each : gone) {
    std::string name = text_at(each.as_object(), "feature");
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  for (const std::string& name : names) rows.push_back(row(name));
  return rows;
}

int list_features(const ClientContext& context, const FeatureWords&) {
  return with_server(context, [&](ApiClient& client) {
    const auto answer = client.get("/api/v1/services");
    if (!answer) return failed(answer.error());
    json::array rows;
    for (const json::value& service : answer->as_array()) {
      for (json::value& row : feature_rows(service.as_object())) rows.push_back(std::move(row));
    }
    print_value(rows, context.form, {"service", "feature", "state", "by", "since", "reason"});
    return int(kExitOk);
  });
}

int move_feature(ClientContext context, const FeatureWords& words, std::string_view verb) {
  context.dry_run = words.dry_run;
  return send_command(
      context,
      fmt::format("/api/v1/services/{}/features/{}/{}", percent_encode(words.service),
                  percent_encode(words.feature), verb),
      {});
}

int withdraw_feature(const ClientContext& context, const FeatureWords& words) {
  return move_feature(context, words, "withdraw");
}

int restore_feature(const ClientContext& context, const FeatureWords& words) {
  return move_feature(context, words, "restore");
}

}  // namespace

void add_feature_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                       int* code) {
  const auto words = std::make_shared<FeatureWords>();
  CLI::App* feature = app->add_subcommand("feature", "What services do without for a while");
  feature->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& help, FeatureVerb act) {
    CLI::App* sub = feature->add_subcommand(name, help);
    sub->callback([words, context, code, act] { *code = act(context(), *words); });
    return sub;
  };
  const auto add_move = [&](const std::string& name, const std::string& help, FeatureVerb act) {
    CLI::App* sub = add(name, help, act);
    sub->add_option("service", words->service, "The Service's name")->required();
    sub->add_option("feature", words->feature, "A feature of its degradation_order")->required();
    sub->add_flag("--dry-run", words->dry_run, kDryRunHelp);
    return sub;
  };
  add("list", "Features that can be withdrawn, and those that are", list_features)
      ->footer("Examples:\n  showcaller feature list");
  add_move("withdraw", "Everybody gets its fallback, until somebody gives it back",
           withdraw_feature)
      ->footer(
          "Examples:\n  showcaller feature withdraw matchmaking leaderboards --reason \"the "
          "database is slow\"");
  add_move("restore", "Give it back, whoever took it", restore_feature)
      ->footer("Examples:\n  showcaller feature restore matchmaking leaderboards");
}

}  // namespace showcaller
