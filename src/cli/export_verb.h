// SPDX-License-Identifier: Apache-2.0
// `showcaller export`: what other programs can be given of the server's metrics, printed without
// one.
#pragma once

namespace CLI {
class App;
}

namespace showcaller {

// `export` and its words below `app`; `*code` gets the exit code of whichever ran.
void add_export_verb(CLI::App* app, int* code);

}  // namespace showcaller
