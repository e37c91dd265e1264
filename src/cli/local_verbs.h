// SPDX-License-Identifier: Apache-2.0
// Verbs that need no server: they read files, or the journal beside one. Each returns an exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace showcaller {

int init_verb(const std::string& kind, const std::string& name, const std::string& owner);
int validate_verb(const std::vector<std::string>& paths, OutputForm form);
int policy_test_verb(const std::vector<std::string>& paths, OutputForm form);
int schema_verb(const std::string& kind);
int judge_verb(const std::string& path);  // exit codes: analysis/gate_stream.h
int doctor_verb(const std::string& data);
int backup_verb(const std::string& data, const std::string& to);
int restore_verb(const std::string& from, const std::string& data, bool force);
// The world as it was: at an instant, a seq, or the end. `what` as for `get`; empty: a summary with
// its hash.
int replay_verb(const std::string& data, const std::string& at, const std::string& what,
                OutputForm form);
int docs_verb(const std::string& page);

}  // namespace showcaller
