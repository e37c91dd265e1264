// SPDX-License-Identifier: Apache-2.0
// `showcaller policy test FILE...`: a policy's own examples, held against its rules. Offline.
#include <cstdio>

#include <fmt/format.h>

#include "adapters/tzdata/tzdata_version.h"
#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/local_verbs.h"
#include "cli/manifest_files.h"
#include "cli/terminal.h"
#include "policy/admission.h"

namespace showcaller {
namespace {

struct PolicyOutcome {
  std::string policy, example, wrong, place;
};

// "policy.yaml:31:7" of an example; the files were read without errors before.
class Places {
 public:
  explicit Places(std::span<const SourceFile> files) : files_(files) {
    for (std::size_t i = 0; i < files.size(); ++i) {
      std::vector<Finding> findings;
      for (manifest::Node& document : manifest::parse_documents(files[i], int(i), {}, &findings))
        documents_.push_back(std::move(document));
    }
  }

  std::string of(const std::string& policy, std::size_t example) const {
    for (const manifest::Node& document : documents_) {
      const auto& kind = manifest::nearest_node(document, "kind");
      const auto& name = manifest::nearest_node(document, "metadata.name");
      if (kind.text != to_string(Kind::Policy) || name.text != policy) continue;
      const auto at =
          manifest::nearest_position(document, fmt::format("spec.examples[{}]", example));
      return fmt::format("{}:{}:{}", files_[std::size_t(at.file)].name, at.line, at.column);
    }
    return policy;
  }

 private:
  std::span<const SourceFile> files_;
  std::vector<manifest::Node> documents_;
};

std::vector<PolicyOutcome> tell_all(const std::vector<Manifest>& manifests, const Places& places) {
  std::vector<PolicyOutcome> told;
  for (const Manifest& manifest : manifests) {
    if (manifest.kind() != Kind::Policy) continue;
    const auto standings = try_examples(manifest.as<PolicySpec>());
    for (std::size_t i = 0; i < standings.size(); ++i) {
      told.push_back(
          {manifest.name, standings[i].name, standings[i].wrong, places.of(manifest.name, i)});
    }
  }
  return told;
}

int print_told(const std::vector<PolicyOutcome>& told, OutputForm form) {
  json::array rows;
  std::size_t wrong = 0;
  for (const PolicyOutcome& each : told) {
    wrong += each.wrong.empty() ? 0 : 1;
    rows.push_back({{"policy", each.policy},
                    {"example", each.example},
                    {"good", each.wrong.empty()},
                    {"place", each.place},
                    {"why", each.wrong}});
    if (form != OutputForm::Table) continue;
    say(each.wrong.empty() ? fmt::format("good   {}: {}", each.policy, each.example)
                           : fmt::format("{}  {}: {}: error: {}", coloured("wrong", "red"),
                                         each.place, each.example, each.wrong));
  }
  if (form != OutputForm::Table)
    print_value(json::value{{"ok", wrong == 0}, {"examples", std::move(rows)}}, form);
  else
    say(fmt::format("{} of {} examples are good", told.size() - wrong, told.size()));
  return wrong == 0 ? kExitOk : kExitRefused;
}

}  // namespace

int policy_test_verb(const std::vector<std::string>& paths, OutputForm form) {
  const auto files = read_manifest_files(paths);
  if (!files) return failed(files.error());
  ParseOptions options;
  options.missing = MissingReference::Warning;
  options.tzdata_version = read_tzdata_version();
  const ParseOutcome parsed = parse_manifests(*files, options);
  if (!parsed.ok()) {
    const std::string findings = format_findings(parsed.findings, *files, on_terminal(2));
    std::fwrite(findings.data(), 1, findings.size(), stderr);
    return kExitUsage;
  }
  const auto told = tell_all(parsed.manifests, Places(*files));
  if (told.empty()) {
    return failed({ErrorCode::Invalid,
                   "there is no Policy with examples in these files; add `examples:` to its spec"});
  }
  return print_told(told, form);
}

}  // namespace showcaller
