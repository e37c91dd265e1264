// SPDX-License-Identifier: Apache-2.0
// The events of a YAML or JSON text. The one place that knows the YAML library.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace showcaller::manifest {

struct YamlEvent {
  enum class Type {
    DocumentStart,
    DocumentEnd,
    MapStart,
    MapEnd,
    ListStart,
    ListEnd,
    Scalar,
    Alias
  };
  Type type = Type::Scalar;
  bool plain = false;
  int line = 0;  // from 1; 0: an empty value, which stands nowhere
  int column = 0;
  std::string text;  // a scalar's characters, or an alias's name
  std::string anchor;
  std::string tag;  // "tag:yaml.org,2002:str"; empty: none
};

struct YamlError {
  int line = 1;
  int column = 1;
  std::string message;
};

struct YamlEvents {
  std::vector<YamlEvent> events;
  std::vector<YamlError> errors;  // the events before the first are kept
  bool too_many = false;          // stopped at events_max
  bool too_deep = false;          // stopped at depth_max
};

// The text is valid UTF-8 without a byte order mark.
struct YamlLimits {
  std::size_t events_max = 0;
  std::size_t depth_max = 0;
};
YamlEvents read_yaml_events(std::string_view text, bool strict_json, const YamlLimits& limits);

}  // namespace showcaller::manifest
