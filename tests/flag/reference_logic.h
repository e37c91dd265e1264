// SPDX-License-Identifier: Apache-2.0
// The language again, as naively as it can be written: walks the JSON itself, copies every value,
// knows no program, no views and no budget. Written from the definitions of the operations, not
// from the compiler; the two are held against each other with random rules.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/json.h"

namespace showcaller::reference {

// Absent is what JavaScript calls undefined.
using Maybe = std::optional<json::value>;

// Whether two lists or objects were compared. They are equal when they are one and the same, and
// copies of values do not know what they were: who asks for a verdict leaves such a case out.
inline bool compared_by_identity = false;

struct World {
  std::string flag_key;
  std::int64_t timestamp_s = 0;
};

inline double number_of(const Maybe& value);

inline std::string print(double x) {
  if (std::isnan(x)) return "NaN";
  if (std::isinf(x)) return x < 0 ? "-Infinity" : "Infinity";
  if (x == 0) return "0";
  // The fewest digits that read back the same.
  char text[64];
  int digits = 1;
  for (; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*e", digits - 1, x);
    if (std::strtod(text, nullptr) == x) break;
  }
  const int exponent = std::atoi(std::string(text).substr(std::string(text).find('e') + 1).c_str());
  if (exponent >= digits - 1 && exponent < 21) {
    std::string whole = std::string(text).substr(0, std::string(text).find('e'));
    std::erase(whole, '.');
    return whole + std::string(std::size_t(exponent - digits + 1), '0');
  }
  if (exponent >= -7 && exponent < 21) {
    std::snprintf(text, sizeof text, "%.*f", std::max(0, digits - 1 - exponent), x);
    return text;
  }
  std::string mantissa = std::string(text).substr(0, std::string(text).find('e'));
  return mantissa + "e" + (exponent < 0 ? "-" : "+") + std::to_string(std::abs(exponent));
}

inline std::string text_of(const Maybe& value) {
  if (!value) return "undefined";
  switch (value->kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return value->get_bool() ? "true" : "false";
    case json::kind::string:
      return std::string(value->get_string());
    case json::kind::object:
      return "[object Object]";
    case json::kind::array: {
      std::string out;
      bool first = true;
      for (const auto& item : value->get_array()) {
        if (!std::exchange(first, false)) out += ",";
        if (!item.is_null()) out += text_of(item);
      }
      return out;
    }
    default:
      return print(value->to_number<double>());
  }
}

inline double read_all(std::string text) {
  const char* spaces = " \t\n\r\v\f";
  text.erase(0, text.find_first_not_of(spaces));
  if (text.empty()) return 0;
  text.erase(text.find_last_not_of(spaces) + 1);
  if (text == "Infinity" || text == "+Infinity") return INFINITY;
  if (text == "-Infinity") return -INFINITY;
  if (text.size() > 2 && (text.starts_with("0x") || text.starts_with("0X"))) {
    const std::string digits = text.substr(2);
    if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return NAN;
    return double(std::stoull(digits, nullptr, 16));
  }
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return NAN;
  char* end = nullptr;
  const double x = std::strtod(text.c_str(), &end);
  return *end == '\0' && end != text.c_str() ? x : NAN;
}

inline double read_front(const std::string& text) {
  const std::size_t start = text.find_first_not_of(" \t\n\r\v\f");
  if (start == std::string::npos) return NAN;
  const char c = text[start];
  const std::string word = text.substr(start + (c == '+' || c == '-'), 8);
  if (word == "Infinity") return c == '-' ? -INFINITY : INFINITY;
  if (word[0] != '.' && (word[0] < '0' || word[0] > '9')) return NAN;
  if (c != '+' && c != '-' && c != '.' && (c < '0' || c > '9')) return NAN;
  const char* begin = text.c_str() + start;
  if (begin[0] == '0' && (begin[1] == 'x' || begin[1] == 'X')) return 0;
  char* end = nullptr;
  const double x = std::strtod(begin, &end);
  return end == begin ? NAN : x;
}

inline double number_of(const Maybe& value) {
  if (!value) return NAN;
  if (value->is_null()) return 0;
  if (value->is_bool()) return value->get_bool();
  if (value->is_number()) return value->to_number<double>();
  return read_all(text_of(value));
}

inline json::value from_number(double x) {
  if (!std::isfinite(x)) return json::value(x);
  if (std::trunc(x) == x && std::abs(x) < 9e15) return std::int64_t(x);
  return x;
}

inline bool truth(const Maybe& value) {
  if (!value || value->is_null()) return false;
  if (value->is_bool()) return value->get_bool();
  if (value->is_string()) return !value->get_string().empty();
  if (value->is_array()) return !value->get_array().empty();
  if (value->is_object()) return true;
  const double x = value->to_number<double>();
  return x != 0 && !std::isnan(x);
}

inline bool strict(const Maybe& a, const Maybe& b) {
  if (!a || !b) return !a && !b;
  if (a->is_number() && b->is_number()) return a->to_number<double>() == b->to_number<double>();
  if (a->is_structured() && b->is_structured()) compared_by_identity = true;
  if (a->kind() != b->kind() || a->is_structured()) return false;
  return *a == *b;
}

inline bool loose(const Maybe& a, const Maybe& b) {
  const bool a_nothing = !a || a->is_null(), b_nothing = !b || b->is_null();
  if (a_nothing || b_nothing) return a_nothing && b_nothing;
  if (a->is_structured() && b->is_structured()) {
    compared_by_identity = true;
    return false;
  }
  if (a->is_structured()) return loose(json::value(text_of(a)), b);
  if (b->is_structured()) return loose(a, json::value(text_of(b)));
  if (a->is_string() && b->is_string()) return a->get_string() == b->get_string();
  return number_of(a) == number_of(b);
}

inline bool before(const Maybe& a, const Maybe& b, bool or_equal) {
  const auto is_text = [](const Maybe& v) { return v && (v->is_string() || v->is_structured()); };
  if (is_text(a) && is_text(b)) {
    return or_equal ? text_of(a) <= text_of(b) : text_of(a) < text_of(b);
  }
  return or_equal ? number_of(a) <= number_of(b) : number_of(a) < number_of(b);
}

class Interpreter {
 public:
  explicit Interpreter(World world) : world_(std::move(world)) {}

  Maybe run(const json::value& rule, const Maybe& data) {
    if (rule.is_array()) {
      json::array out;
      for (const auto& item : rule.get_array()) out.push_back(run(item, data).value_or(nullptr));
      return json::value(out);
    }
    if (!rule.is_object() || rule.get_object().size() != 1) return rule;
    const std::string name(rule.get_object().begin()->key());
    const json::value& given = rule.get_object().begin()->value();
    const json::array arguments = given.is_array() ? given.get_array() : json::array{given};
    return lazy(name, arguments, data);
  }

 private:
  static Maybe at(const json::array& list, std::size_t i) {
    return i < list.size() ? Maybe(list[i]) : Maybe();
  }

  Maybe lazy(const std::string& name, const json::array& a, const Maybe& data) {
    if (name == "if" || name == "?:") {
      std::size_t i = 0;
      for (; i + 1 < a.size(); i += 2) {
        if (truth(run(a[i], data))) return run(a[i + 1], data);
      }
      return i < a.size() ? run(a[i], data) : json::value(nullptr);
    }
    if (name == "and" || name == "or") {
      Maybe last;
      for (const auto& item : a) {
        last = run(item, data);
        if (truth(last) == (name == "or")) break;
      }
      return last;
    }
    if (name == "map" || name == "filter" || name == "all" || name == "some" || name == "none" ||
        name == "reduce") {
      return over_list(name, a, data);
    }
    std::vector<Maybe> values;
    for (const auto& item : a) values.push_back(run(item, data));
    return eager(name, values, data);
  }

  Maybe over_list(const std::string& name, const json::array& a, const Maybe& data) {
    const Maybe list = run(a[0], data);
    const bool is_list = list && list->is_array();
    if (name == "reduce") {
      Maybe total = a.size() > 2 ? run(a[2], data) : json::value(nullptr);
      if (!is_list) return total;
      for (const auto& item : list->get_array()) {
        total = run(a[1], json::value(json::object{{"current", item}, {"accumulator", *total}}));
        if (!total) total = json::value(nullptr);
      }
      return total;
    }
    json::array mapped, kept;
    if (is_list) {
      for (const auto& item : list->get_array()) {
        const Maybe result = run(a[1], item);
        mapped.push_back(result.value_or(nullptr));
        if (truth(result)) kept.push_back(item);
      }
    }
    if (name == "map") return json::value(mapped);
    if (name == "filter") return json::value(kept);
    if (name == "some") return json::value(!kept.empty());
    if (name == "none") return json::value(kept.empty());
    return json::value(!mapped.empty() && kept.size() == mapped.size());
  }

  Maybe look(const Maybe& path, const Maybe& otherwise, const Maybe& data) {
    if (!path || path->is_null() || (path->is_string() && path->get_string().empty())) return data;
    Maybe here = data;
    std::string rest = text_of(path) + ".";
    while (!rest.empty()) {
      const std::string key = rest.substr(0, rest.find('.'));
      rest.erase(0, rest.find('.') + 1);
      if (!here || here->is_null()) return otherwise;
      Maybe next;
      if (here->is_object() && here->get_object().contains(key)) next = here->get_object().at(key);
      if (here->is_array()) {
        for (std::size_t i = 0; i < here->get_array().size(); ++i) {
          if (std::to_string(i) == key) next = here->get_array()[i];
        }
        if (key == "length") next = json::value(std::int64_t(here->get_array().size()));
      }
      if (here->is_string()) {
        const std::string text(here->get_string());
        for (std::size_t i = 0; i < text.size(); ++i) {
          if (std::to_string(i) == key) next = json::value(text.substr(i, 1));
        }
        if (key == "length") next = json::value(std::int64_t(text.size()));
      }
      if (!next) return otherwise;
      here = next;
    }
    return here;
  }

  Maybe absent_keys(const json::array& keys, const Maybe& data) {
    json::array out;
    for (const auto& key : keys) {
      const Maybe found = look(key, json::value(nullptr), data);
      if (!found || found->is_null() || (found->is_string() && found->get_string().empty()))
        out.push_back(key);
    }
    return json::value(out);
  }

  Maybe eager(const std::string& name, const std::vector<Maybe>& v, const Maybe& data) {
    static const Maybe kAbsent;
    const auto arg = [&](std::size_t i) -> const Maybe& { return i < v.size() ? v[i] : kAbsent; };
    const auto yes = [](bool b) { return json::value(b); };
    if (name == "var") return look(arg(0), v.size() > 1 ? arg(1) : json::value(nullptr), data);
    if (name == "missing") {
      json::array keys;
      if (arg(0) && arg(0)->is_array()) {
        keys = arg(0)->get_array();
      } else {
        for (const auto& key : v) keys.push_back(key.value_or(nullptr));
      }
      return absent_keys(keys, data);
    }
    if (name == "missing_some") {
      if (!arg(1) || !arg(1)->is_array()) return std::nullopt;
      const Maybe gone = absent_keys(arg(1)->get_array(), data);
      const double there = double(arg(1)->get_array().size()) - double(gone->get_array().size());
      return there >= number_of(arg(0)) ? json::value(json::array()) : *gone;
    }
    if (name == "==") return yes(loose(arg(0), arg(1)));
    if (name == "!=") return yes(!loose(arg(0), arg(1)));
    if (name == "===") return yes(strict(arg(0), arg(1)));
    if (name == "!==") return yes(!strict(arg(0), arg(1)));
    if (name == "!") return yes(!truth(arg(0)));
    if (name == "!!") return yes(truth(arg(0)));
    if (name == ">") return yes(before(arg(1), arg(0), false));
    if (name == ">=") return yes(before(arg(1), arg(0), true));
    if (name == "<" || name == "<=") {
      const bool equal = name == "<=";
      return yes(before(arg(0), arg(1), equal) && (!arg(2) || before(arg(1), arg(2), equal)));
    }
    if (name == "max" || name == "min") {
      double best = name == "max" ? -INFINITY : INFINITY;
      for (const auto& item : v) {
        const double x = number_of(item);
        if (std::isnan(x) || std::isnan(best)) {
          best = NAN;
          continue;
        }
        best = name == "max" ? std::max(best, x) : std::min(best, x);
      }
      return from_number(best);
    }
    if (name == "*" && v.size() == 1) return v[0];
    if (name == "+" || name == "*") {
      double total = name == "+" ? 0 : 1;
      for (const auto& item : v) {
        const double x = item && item->is_number() ? number_of(item) : read_front(text_of(item));
        total = name == "+" ? total + x : total * x;
      }
      return from_number(total);
    }
    if (name == "-")
      return from_number(!arg(1) ? -number_of(arg(0)) : number_of(arg(0)) - number_of(arg(1)));
    if (name == "/") return from_number(number_of(arg(0)) / number_of(arg(1)));
    if (name == "%") return from_number(std::fmod(number_of(arg(0)), number_of(arg(1))));
    if (name == "merge") {
      json::array out;
      for (const auto& item : v) {
        if (item && item->is_array()) {
          for (const auto& inner : item->get_array()) out.push_back(inner);
        } else {
          out.push_back(item.value_or(nullptr));
        }
      }
      return json::value(out);
    }
    if (name == "in") {
      if (arg(1) && arg(1)->is_string()) {
        const std::string hay(arg(1)->get_string());
        return yes(!hay.empty() && hay.find(text_of(arg(0))) != std::string::npos);
      }
      if (!arg(1) || !arg(1)->is_array()) return yes(false);
      for (const auto& item : arg(1)->get_array()) {
        if (strict(arg(0), item)) return yes(true);
      }
      return yes(false);
    }
    if (name == "cat") {
      std::string out;
      for (const auto& item : v) {
        if (item && !item->is_null()) out += text_of(item);
      }
      return json::value(out);
    }
    if (name == "substr") return json::value(piece(text_of(arg(0)), arg(1), arg(2)));
    if (name == "starts_with" || name == "ends_with") {
      if (v.size() != 2 || !arg(0) || !arg(0)->is_string() || !arg(1) || !arg(1)->is_string()) {
        return json::value(nullptr);
      }
      const std::string text(arg(0)->get_string()), part(arg(1)->get_string());
      return yes(name == "starts_with" ? text.starts_with(part) : text.ends_with(part));
    }
    if (name == "sem_ver") return versions(v);
    if (name == "fractional") return share(v, data);
    return std::nullopt;
  }

  // Releases alone, completed to three numbers; enough for what the tests make up.
  static std::optional<std::vector<double>> release(const Maybe& value) {
    if (!value || !(value->is_string() || value->is_number())) return std::nullopt;
    std::string text = text_of(value);
    if (!text.empty() && (text[0] == 'v' || text[0] == 'V')) text.erase(0, 1);
    std::vector<double> numbers;
    text += '.';
    while (!text.empty()) {
      const std::string part = text.substr(0, text.find('.'));
      text.erase(0, text.find('.') + 1);
      if (part.empty() || part.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
      if (part.size() > 1 && part[0] == '0') return std::nullopt;
      numbers.push_back(std::stod(part));
    }
    if (numbers.size() > 3) return std::nullopt;
    numbers.resize(3);
    return numbers;
  }

  static Maybe versions(const std::vector<Maybe>& v) {
    if (v.size() != 3 || !v[1] || !v[1]->is_string()) return json::value(nullptr);
    const auto a = release(v[0]), b = release(v[2]);
    const std::string how(v[1]->get_string());
    if (!a || !b) return json::value(nullptr);
    if (how == "=") return json::value(*a == *b);
    if (how == "!=") return json::value(*a != *b);
    if (how == "<") return json::value(*a < *b);
    if (how == "<=") return json::value(*a <= *b);
    if (how == ">") return json::value(*a > *b);
    if (how == ">=") return json::value(*a >= *b);
    if (how == "^") return json::value((*a)[0] == (*b)[0]);
    if (how == "~") return json::value((*a)[0] == (*b)[0] && (*a)[1] == (*b)[1]);
    return json::value(nullptr);
  }

  static std::string piece(const std::string& text, const Maybe& start_value,
                           const Maybe& count_value) {
    const auto cut = [](const std::string& s, double start, double count) -> std::string {
      start = std::isnan(start) ? 0 : std::trunc(start);
      count = std::isnan(count) ? 0 : std::trunc(count);
      if (start < 0) start = std::max(0.0, double(s.size()) + start);
      if (start >= double(s.size()) || count <= 0) return "";
      return s.substr(std::size_t(start), std::size_t(std::min(count, double(s.size()))));
    };
    const double start = start_value ? number_of(start_value) : 0;
    if (!count_value) return cut(text, start, INFINITY);
    const double count = number_of(count_value);
    if (!(count < 0)) return cut(text, start, count);
    const std::string tail = cut(text, start, INFINITY);
    return cut(tail, 0, double(tail.size()) + count);
  }

  Maybe share(std::vector<Maybe> v, const Maybe& data) {
    const json::value nothing(nullptr);
    if (v.empty()) return nothing;
    std::string by;
    if (v[0] && v[0]->is_string()) {
      by = std::string(v[0]->get_string());
      v.erase(v.begin());
    } else {
      if (!v[0] || v[0]->is_null()) v.erase(v.begin());
      const Maybe key = look(json::value("targetingKey"), std::nullopt, data);
      if (!key || !key->is_string()) return nothing;
      by = world_.flag_key + std::string(key->get_string());
    }
    double total = 0;
    std::vector<std::pair<json::value, double>> buckets;
    for (const auto& entry : v) {
      if (!entry || !entry->is_array() || entry->get_array().empty()) return nothing;
      const json::array& pair = entry->get_array();
      if (pair[0].is_structured()) return nothing;
      double weight = 1;
      if (pair.size() > 1 && !pair[1].is_null()) {
        if (!pair[1].is_number()) return nothing;
        weight = pair[1].to_number<double>();
        if (std::trunc(weight) != weight) return nothing;
        weight = std::max(weight, 0.0);
      }
      total += weight;
      if (total > 2147483647.0) return nothing;
      buckets.emplace_back(pair[0], weight);
    }
    const std::uint64_t point = (std::uint64_t(murmur3_32(by)) * std::uint64_t(total)) >> 32;
    double end = 0;
    for (const auto& [variant, weight] : buckets) {
      end += weight;
      if (double(point) < end) return variant;
    }
    return nothing;
  }

  World world_;
};

}  // namespace showcaller::reference
