// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/diff.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace showcaller {
namespace {

// name → item, when every item is an object with a name of its own.
std::optional<std::map<std::string, const json::value*>> by_name(const json::array& list) {
  std::map<std::string, const json::value*> out;
  for (const json::value& item : list) {
    const json::object* object = item.if_object();
    const json::value* name = object == nullptr ? nullptr : object->if_contains("name");
    if (name == nullptr || !name->is_string()) return std::nullopt;
    if (!out.emplace(std::string(name->get_string()), &item).second) return std::nullopt;
  }
  return out;
}

json::array names_in_order(const json::array& list) {
  json::array out;
  for (const json::value& item : list) out.push_back(item.get_object().at("name"));
  return out;
}

class Differ {
 public:
  std::vector<PathChange> changes;

  void compare(const std::string& path, const json::value* before, const json::value* after) {
    if (before == nullptr || after == nullptr) {
      changes.push_back({path, before ? std::optional(*before) : std::nullopt,
                         after ? std::optional(*after) : std::nullopt});
    } else if (before->is_object() && after->is_object()) {
      compare_objects(path, before->get_object(), after->get_object());
    } else if (before->is_array() && after->is_array()) {
      compare_lists(path, before->get_array(), after->get_array());
    } else if (!equal(*before, *after)) {
      changes.push_back({path, *before, *after});
    }
  }

 private:
  static bool equal(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number())
      return a == b || a.to_number<double>() == b.to_number<double>();
    return a == b;
  }

  void compare_objects(const std::string& path, const json::object& before,
                       const json::object& after) {
    std::set<std::string_view> keys;
    for (const auto& [key, value] : before) keys.insert(key);
    for (const auto& [key, value] : after) keys.insert(key);
    for (const std::string_view key : keys) {
      const std::string at = path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
      compare(at, before.if_contains(key), after.if_contains(key));
    }
  }

  void compare_lists(const std::string& path, const json::array& before, const json::array& after) {
    const auto old_names = by_name(before);
    const auto new_names = by_name(after);
    if (old_names && new_names && !before.empty() && !after.empty()) {
      return compare_named(path, before, after, *old_names, *new_names);
    }
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      compare(fmt::format("{}[{}]", path, i), i < before.size() ? &before[i] : nullptr,
              i < after.size() ? &after[i] : nullptr);
    }
  }

  void compare_named(const std::string& path, const json::array& before, const json::array& after,
                     const std::map<std::string, const json::value*>& old_names,
                     const std::map<std::string, const json::value*>& new_names) {
    const auto lookup = [](const auto& names, const std::string& name) -> const json::value* {
      const auto found = names.find(name);
      return found == names.end() ? nullptr : found->second;
    };
    for (const json::value& item : before) {
      const std::string name(item.get_object().at("name").get_string());
      compare(fmt::format("{}[{}]", path, name), &item, lookup(new_names, name));
    }
    for (const json::value& item : after) {
      const std::string name(item.get_object().at("name").get_string());
      if (!old_names.contains(name)) compare(fmt::format("{}[{}]", path, name), nullptr, &item);
    }
    const json::array old_order = names_in_order(before);
    const json::array new_order = names_in_order(after);
    if (old_order.size() == new_order.size() && old_order != new_order &&
        std::ranges::is_permutation(old_order, new_order)) {
      changes.push_back({path, old_order, new_order});
    }
  }
};

std::string shown(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : to_json_text(value);
}

}  // namespace

std::vector<PathChange> diff_documents(const json::value& before, const json::value& after) {
  Differ differ;
  differ.compare("", &before, &after);
  return std::move(differ.changes);
}

std::string format_changes(std::span<const PathChange> changes) {
  std::string out;
  for (const PathChange& change : changes) {
    if (change.before && change.after) {
      out +=
          fmt::format("~ {}: {} → {}\n", change.path, shown(*change.before), shown(*change.after));
    } else if (change.after) {
      out += fmt::format("+ {}: {}\n", change.path, shown(*change.after));
    } else {
      out += fmt::format("- {}: {}\n", change.path, shown(*change.before));
    }
  }
  return out;
}

}  // namespace showcaller
