// SPDX-License-Identifier: Apache-2.0
#include "cli/config_words.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "model/manifest/diff.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

struct ConfigWords {
  std::string config;
  std::int64_t from = 0, to = 0;
  bool dry_run = false;
};

std::string target_of(const std::string& config) {
  return "/api/v1/configs/" + percent_encode(config);
}

int versions_verb(const ClientContext& context, const ConfigWords& words) {
  return with_server(context, [&](ApiClient& client) {
    auto answer = client.get(target_of(words.config));
    if (!answer) return failed(answer.error());
    if (context.form != OutputForm::Table) {
      print_value(*answer, context.form);
      return int(kExitOk);
    }
    const json::object& told = answer->as_object();
    for (const json::value& each : told.at("versions").as_array()) {
      const json::object& version = each.as_object();
      const bool in_force = get_int(version, "version") == get_int(told, "version");
      say(fmt::format("{} v{:<8} {}  {}", in_force ? "*" : " ", text_at(version, "version"),
                      text_at(version, "hash").substr(0, 12),
                      to_json_text(version.at("value")).substr(0, 100)));
    }
    return int(kExitOk);
  });
}

Result<json::value> content_of(const json::object& told, std::int64_t version) {
  for (const json::value& each : told.at("versions").as_array()) {
    if (get_int(each.as_object(), "version") == version) return each.as_object().at("value");
  }
  return fail(ErrorCode::NotFound,
              fmt::format("Config '{}' has no version {}; `showcaller config versions` lists those "
                          "that are kept",
                          text_at(told, "config"), version));
}

int diff_verb(const ClientContext& context, const ConfigWords& words) {
  return with_server(context, [&](ApiClient& client) {
    auto answer = client.get(target_of(words.config));
    if (!answer) return failed(answer.error());
    const json::object& told = answer->as_object();
    const auto before = content_of(told, words.from);
    if (!before) return failed(before.error());
    const auto after = content_of(told, words.to > 0 ? words.to : get_int(told, "version"));
    if (!after) return failed(after.error());
    const auto changes = diff_documents(*before, *after);
    if (context.form == OutputForm::Table) {
      std::string text = changes.empty() ? "no difference" : format_changes(changes);
      while (text.ends_with('\n')) text.pop_back();
      say(text);
    } else {
      json::array rows;
      for (const PathChange& change : changes) {
        json::object row{{"path", change.path}};
        if (change.before) row["before"] = *change.before;
        if (change.after) row["after"] = *change.after;
        rows.push_back(std::move(row));
      }
      print_value(rows, context.form);
    }
    return int(changes.empty() ? kExitOk : kExitRefused);
  });
}

int undo_verb(const ClientContext& given, const ConfigWords& words) {
  ClientContext context = given;
  context.dry_run = words.dry_run;
  return send_command(context, target_of(words.config) + "/undo", {{"to", words.to}});
}

}  // namespace

void add_config_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                      int* code) {
  const auto words = std::make_shared<ConfigWords>();
  CLI::App* config = app->add_subcommand("config", "Versions of configuration documents");
  config->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& help,
                       int (*act)(const ClientContext&, const ConfigWords&)) {
    CLI::App* sub = config->add_subcommand(name, help);
    sub->add_option("config", words->config, "The document's name")->required();
    sub->callback([words, context, code, act] { *code = act(context(), *words); });
    return sub;
  };
  add("versions", "Those that are kept, the newest first", versions_verb)
      ->footer("Examples:\n  showcaller config versions drop-tables");
  CLI::App* diff = add("diff", "What two versions say differently; 0 when nothing", diff_verb);
  diff->add_option("from", words->from, "A version")->required();
  diff->add_option("to", words->to, "Another; absent: the one in force");
  diff->footer("Examples:\n  showcaller config diff drop-tables 16 17");
  CLI::App* undo = add("undo", "Go back to a version", undo_verb);
  undo->add_option("--to", words->to, "The version")->required()->check(CLI::PositiveNumber);
  undo->add_flag("--dry-run", words->dry_run, kDryRunHelp);
  undo->footer("Examples:\n  showcaller config undo drop-tables --to 16 --reason \"too generous\"");
}

}  // namespace showcaller
