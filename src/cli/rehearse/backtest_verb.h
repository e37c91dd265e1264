// SPDX-License-Identifier: Apache-2.0
// `showcaller backtest`: a gate over recorded evidence of past stages: would it have undone what
// was good, seen what was bad, and when. docs/gate-judge.md has the format of the recordings.
#pragma once

#include <string>
#include <vector>

#include "cli/client_verbs.h"

namespace showcaller {

struct BacktestRequest {
  std::string gate;               // a file that begins with a stage line; empty: each recording's
  std::vector<std::string> over;  // recordings, or folders of them (*.jsonl, *.ndjson)
  OutputForm form = OutputForm::Table;
  std::string proves;  // the event whose gates it is to prove on the server; empty: none
  ClientContext server;
};

// Exit codes: 0 nothing good undone and nothing bad missed, 1 something was, 2 malformed; with
// `proves` also those of the verbs that speak to a server.
int backtest_verb(const BacktestRequest& request);

}  // namespace showcaller
