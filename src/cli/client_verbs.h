// SPDX-License-Identifier: Apache-2.0
// Verbs that speak to a server. Each returns an exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "cli/api_client.h"
#include "cli/terminal.h"

namespace showcaller {

struct ClientContext {
  ServerAddress address;
  OutputForm form = OutputForm::Table;
  std::string reason;
  std::string key;       // idempotency key; empty: a fresh one
  bool dry_run = false;  // commands only say what would follow
};

int apply_verb(const ClientContext& context, const std::vector<std::string>& paths, bool dry_run);
int plan_verb(const ClientContext& context, const std::vector<std::string>& paths);
// With `all`, whatever only the server has is drift; else what has a kind and owner of the files.
int drift_verb(const ClientContext& context, const std::vector<std::string>& paths, bool all);
int get_verb(const ClientContext& context, const std::string& what, const std::string& name);
int status_verb(const ClientContext& context, const std::string& event);
int explain_verb(const ClientContext& context, const std::string& event);
int event_verb(const ClientContext& context, const std::string& verb, const std::string& event,
               const json::object& body);
int line_verb(const ClientContext& context, bool stop, const std::string& scope);
int history_verb(const ClientContext& context, const HistoryRequest& request);
int ledger_verb(const ClientContext& context, const std::string& event, std::int64_t revision);
// The players of a file, a line each: an id, or an object with an "id".
int admitted_verb(const ClientContext& context, const std::string& event, std::int64_t revision,
                  const std::string& file);
int privacy_verb(const ClientContext& context, const std::string& verb, const std::string& player);
int token_verb(const ClientContext& context, const std::string& verb, const std::string& name,
               const std::vector<std::string>& roles, const std::string& expires);
int quarantine_verb(const ClientContext& context, bool release, const json::object& body);

}  // namespace showcaller
