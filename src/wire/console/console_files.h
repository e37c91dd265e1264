// SPDX-License-Identifier: Apache-2.0
// The console's files, as the build packed them for the program to hold:
//
//   pack = '{"files":[' row,... ']}' LF (plain gzip) of each row, in their order
//   row  = {"path":"assets/a.js","type":MEDIA TYPE,"etag":HEX,"size":BYTES,"gzip":BYTES or 0}
//
// Threads: any, once it is open. The pack outlives it. Empty pack: the console was not built in.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace showcaller {

struct ConsoleFile {
  std::string type;
  std::string etag;  // of the plain bytes, without quotes
  std::string_view plain;
  std::string_view gzip;  // empty: compression gains nothing
};

class ConsoleFiles {
 public:
  // Corrupt when it is not what the build writes.
  static Result<ConsoleFiles> open(std::string_view pack);

  // Null when there is none.
  const ConsoleFile* find(std::string_view path) const;
  bool empty() const { return files_.empty(); }

 private:
  std::map<std::string, ConsoleFile, std::less<>> files_;
};

}  // namespace showcaller
