// SPDX-License-Identifier: Apache-2.0
// What a game tells about whom it asks for: attributes by name. Built once and used often; flags
// read it in place.
//
// Threads: a context that no one changes may be used by any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace showcaller::sdk {

class Context {
 public:
  Context();
  explicit Context(std::string_view targeting_key);
  Context(const Context& other);
  Context(Context&& other) noexcept;
  Context& operator=(const Context& other);
  Context& operator=(Context&& other) noexcept;
  ~Context();

  Context& set_targeting_key(std::string_view key);
  Context& set(std::string_view key, std::string_view text);
  Context& set(std::string_view key, const char* text) { return set(key, std::string_view(text)); }
  Context& set(std::string_view key, double number);
  Context& set(std::string_view key, std::int64_t number) { return set(key, double(number)); }
  Context& set(std::string_view key, int number) { return set(key, double(number)); }
  Context& set(std::string_view key, bool flag);
  // Lists and nested attributes as JSON text; rules reach into them: {"var":"account.group"}.
  // False: not JSON.
  [[nodiscard]] bool set_json(std::string_view key, std::string_view json);

  std::string to_json() const;

  struct Attributes;
  // Null when nothing was set.
  const Attributes* attributes() const { return attributes_.get(); }

 private:
  Attributes& own();

  std::unique_ptr<Attributes> attributes_;
};

}  // namespace showcaller::sdk
