// SPDX-License-Identifier: Apache-2.0
#include "sdk/hook_run.h"

#include <exception>
#include <utility>

#include "sdk/context_attributes.h"

namespace showcaller::sdk {
namespace {

// Calls a hook of the game's. False: it threw, and *message says what.
template <class Do>
bool survives(const Do& act, std::string* message) {
  try {
    act();
    return true;
  } catch (const std::exception& error) {
    *message = error.what();
  } catch (...) {
    *message = "a hook threw something that is no exception";
  }
  return false;
}

class HookRun {
 public:
  HookRun(const Hooks& hooks, HookedCall call)
      : hooks_(hooks), call_(std::move(call)), data_(hooks.size()) {}

  Details<Value> run(const EvaluateIn& evaluate) {
    Details<Value> details;
    std::string message;
    if (!survives([&] { before(); }, &message)) {
      details = failed(std::move(message));
    } else {
      details = evaluate(call_.context);
      const bool sound = details.error == ErrorCode::None;
      if (sound && !survives([&] { after(details); }, &message))
        details = failed(std::move(message));
    }
    if (details.error != ErrorCode::None) {
      from_the_last([&](Hook& hook, const HookContext& at) {
        survives([&] { hook.error(at, details.error, details.message); }, &message);
      });
    }
    from_the_last([&](Hook& hook, const HookContext& at) {
      survives([&] { hook.finally(at, details); }, &message);
    });
    return details;
  }

 private:
  HookContext at(std::size_t hook) {
    return {call_.flag, call_.type, call_.fallback, call_.context, call_.client, data_[hook]};
  }

  void before() {
    for (std::size_t i = 0; i < hooks_.size(); ++i) {
      if (const auto more = hooks_[i]->before(at(i))) lay_over(*more, &call_.context);
    }
  }

  void after(const Details<Value>& details) {
    from_the_last([&](Hook& hook, const HookContext& at) { hook.after(at, details); });
  }

  template <class Do>
  void from_the_last(const Do& act) {
    for (std::size_t i = hooks_.size(); i-- > 0;) act(*hooks_[i], at(i));
  }

  Details<Value> failed(std::string message) const {
    return {.value = call_.fallback,
            .variant = {},
            .reason = Reason::Error,
            .error = ErrorCode::General,
            .message = std::move(message)};
  }

  const Hooks& hooks_;
  HookedCall call_;
  std::deque<std::any> data_;
};

}  // namespace

Details<Value> evaluate_with_hooks(const Hooks& hooks, HookedCall call,
                                   const EvaluateIn& evaluate) {
  return HookRun(hooks, std::move(call)).run(evaluate);
}

}  // namespace showcaller::sdk
