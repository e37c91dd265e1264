// SPDX-License-Identifier: Apache-2.0
// Hooks around evaluations, as OpenFeature has them: for the whole process, for a client, for a
// call. before() is asked in this order, the others in the reverse one; error() comes instead of
// after() when a hook threw or the evaluation has an error, finally() in any case.
//
// A hook may throw in before() and after(): the evaluation then gives its fallback with the error
// General, and error() is called. What error() and finally() throw is ignored. Where there are
// hooks, evaluating allocates. Threads: a hook is called by whoever evaluates, several at once.
#pragma once

#include <any>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "showcaller/context.h"
#include "showcaller/evaluation.h"

namespace showcaller::sdk {

struct HookContext {
  std::string_view flag{};
  ValueType type;
  const Value& fallback;
  const Context& context;     // all layers as one, with what hooks before this one added
  std::string_view client{};  // Options::name
  std::any& data;             // this hook's own, from one of its calls to the next of an evaluation
};

class Hook {
 public:
  virtual ~Hook() = default;
  // Attributes that are laid over the context; nothing: none.
  virtual std::optional<Context> before(const HookContext&) { return std::nullopt; }
  virtual void after(const HookContext&, const Details<Value>&) {}
  virtual void error(const HookContext&, ErrorCode, std::string_view /*message*/) {}
  virtual void finally(const HookContext&, const Details<Value>&) {}
};

using Hooks = std::vector<std::shared_ptr<Hook>>;

// What holds for one evaluation alone.
struct Call {
  Hooks hooks{};
};

}  // namespace showcaller::sdk
