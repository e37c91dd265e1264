// SPDX-License-Identifier: Apache-2.0
// What a person reads: tables, colours on a terminal, plain text in a pipe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

enum class OutputForm { Table, Json, Yaml };

bool on_terminal(int descriptor);
// "\033[32m…" on a terminal with colours (NO_COLOR unset), else the text alone. Names: red green
// yellow blue dim bold.
std::string coloured(std::string_view text, std::string_view colour);
std::string phase_coloured(std::string_view phase);

// Columns by key of each object, a header line; missing values are "-".
std::string table_text(const json::array& rows, const std::vector<std::string>& columns);
std::string yaml_text(const json::value& value);
// In the form asked for; a table of an object is "key: value" lines, of an array the given columns.
void print_value(const json::value& value, OutputForm form,
                 const std::vector<std::string>& columns = {});

// A line on the standard output.
void say(std::string_view line);
void print_error(const Error& error);
// Prints it; its exit code.
int failed(const Error& error);
int exit_of(const Error& error);

}  // namespace showcaller
