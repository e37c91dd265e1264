// SPDX-License-Identifier: Apache-2.0
// Hooks in OpenFeature's order, with OpenFeature's errors.
#include <fstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <unistd.h>

#include "showcaller/client.h"
#include "showcaller/evaluation_event.h"
#include "showcaller/showcaller.h"
#include "tests/sdk/fake_server.h"

namespace showcaller::sdk {
namespace {

std::string& told() {
  static std::string text;
  return text;
}

class TellingHook : public Hook {
 public:
  explicit TellingHook(std::string name, std::string throws_in = "")
      : name_(std::move(name)), throws_in_(std::move(throws_in)) {}

  std::optional<Context> before(const HookContext& at) override {
    note("before");
    at.data = name_ + "'s own";
    Context more;
    more.set(name_, "was here");
    return more;
  }
  void after(const HookContext& at, const Details<Value>& details) override {
    EXPECT_EQ(std::any_cast<std::string>(at.data), name_ + "'s own");
    EXPECT_EQ(at.flag, "door");
    last_context = at.context.to_json();
    last_variant = details.variant;
    note("after");
  }
  void error(const HookContext&, ErrorCode code, std::string_view message) override {
    note(std::string("error ") + std::string(to_string(code)) + " " + std::string(message));
  }
  void finally(const HookContext&, const Details<Value>&) override { note("finally"); }

  std::string last_context, last_variant;

 private:
  void note(const std::string& what) {
    told() += name_ + " " + what + "\n";
    if (what == throws_in_) throw std::runtime_error(name_ + " threw");
  }

  const std::string name_, throws_in_;
};

class HookTest : public ::testing::Test {
 protected:
  HookTest() {
    server->set_flags(
        R"({"flags":{"door":{"variants":{"open":true,"shut":false},"defaultVariant":"shut",
           "targeting":{"if":[{"==":[{"var":"client"},"was here"]},"open",null]}}}})");
    Options options;
    options.transport = server;
    options.background = false;
    client = std::make_unique<Client>(std::move(options));
    client->step(std::chrono::system_clock::now());
    told().clear();
  }
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::unique_ptr<Client> client;
};

TEST_F(HookTest, OrderAndWhatTheyAddToTheContext) {
  const auto own = std::make_shared<TellingHook>("client");
  const auto of_call = std::make_shared<TellingHook>("call");
  client->add_hook(own);
  Context context("p-1");
  const auto details = client->boolean_details("door", false, context, {.hooks = {of_call}});
  EXPECT_TRUE(details.value);
  EXPECT_EQ(told(),
            "client before\ncall before\n"
            "call after\nclient after\n"
            "call finally\nclient finally\n");
  EXPECT_EQ(own->last_context, R"({"call":"was here","client":"was here","targetingKey":"p-1"})");
  EXPECT_EQ(own->last_variant, "open");
  told().clear();
  EXPECT_TRUE(client->boolean("door", false));
  EXPECT_EQ(told(), "client before\nclient after\nclient finally\n");
}

TEST_F(HookTest, AHookThatThrowsBeforeGivesTheFallback) {
  const Call call{.hooks = {std::make_shared<TellingHook>("bad", "before"),
                            std::make_shared<TellingHook>("next")}};
  const auto details = client->boolean_details("door", true, {}, call);
  EXPECT_TRUE(details.value);
  EXPECT_EQ(details.error, ErrorCode::General);
  EXPECT_EQ(details.message, "bad threw");
  EXPECT_EQ(told(),
            "bad before\nnext error GENERAL bad threw\nbad error GENERAL bad threw\n"
            "next finally\nbad finally\n");
}

TEST_F(HookTest, AHookThatThrowsAfterGivesTheFallbackAndOneThatThrowsAtTheEndNothing) {
  const Call call{.hooks = {std::make_shared<TellingHook>("bad", "after")}};
  EXPECT_EQ(client->boolean_details("door", true, {}, call).error, ErrorCode::General);
  EXPECT_EQ(told(), "bad before\nbad after\nbad error GENERAL bad threw\nbad finally\n");
  const Call last{.hooks = {std::make_shared<TellingHook>("bad", "finally")}};
  EXPECT_EQ(client->boolean_details("door", true, {}, last).error, ErrorCode::None);
}

TEST_F(HookTest, AnErrorOfTheEvaluationIsToldAsSuch) {
  const Call call{.hooks = {std::make_shared<TellingHook>("h")}};
  EXPECT_EQ(client->integer("door", 7, {}, call), 7);
  EXPECT_TRUE(told().starts_with("h before\nh error TYPE_MISMATCH")) << told();
  EXPECT_TRUE(told().ends_with("h finally\n"));
  EXPECT_EQ(client->string("absent", "mine", {}, call), "mine");
}

TEST(CHooks, ATypedValueWithItsReasonsAndAHookOfC) {
  const std::string path = testing::TempDir() + "showcaller_c_hooks_" + std::to_string(::getpid());
  std::ofstream(path)
      << R"({"etag":"x","document":{"flags":{"door":{"variants":{"open":true,"shut":false},"defaultVariant":"shut",
         "targeting":{"if":[{"==":[{"var":"group"},"staff"]},"open",null]}}}}})";
  const showcaller_options options{.state_file = path.c_str(), .name = "c"};
  showcaller_client* client = showcaller_client_new(&options);
  static std::string heard;
  heard.clear();
  const showcaller_hook hook{
      .user = &heard,
      .before = [](void*, const char*,
                   showcaller_context* more) { showcaller_context_text(more, "group", "staff"); },
      .after =
          [](void* user, const char* flag, const showcaller_details* details) {
            *static_cast<std::string*>(user) += std::string(flag) + " " + details->variant + " ";
          },
      .error = nullptr,
      .finally =
          [](void* user, const char*, const showcaller_details* details) {
            *static_cast<std::string*>(user) += details->reason;
          }};
  showcaller_details details;
  EXPECT_EQ(showcaller_boolean_details(client, "door", 1, nullptr, &details), 0);
  EXPECT_STREQ(details.reason, "DEFAULT");
  EXPECT_STREQ(details.variant, "shut");
  showcaller_client_hook(client, &hook);
  EXPECT_EQ(showcaller_boolean(client, "door", 0, nullptr), 1);
  EXPECT_EQ(heard, "door open TARGETING_MATCH");
  EXPECT_EQ(showcaller_integer_details(client, "absent", 4, nullptr, &details), 4);
  EXPECT_STREQ(details.error, "FLAG_NOT_FOUND");
  int stale = 0;
  showcaller_client_on(
      client, SHOWCALLER_EVENT_STALE,
      [](void* user, const showcaller_event* event) {
        EXPECT_STREQ(event->client, "c");
        ++*static_cast<int*>(user);
      },
      &stale);
  EXPECT_EQ(stale, 1);
  showcaller_client_shutdown(client);
  showcaller_client_free(client);
}

// As OpenTelemetry names it, with a value only where no variant says what it is.
TEST_F(HookTest, AnEvaluationAsOpenTelemetrysEvent) {
  std::string seen;
  client->add_hook(std::make_shared<EvaluationEventHook>([&](const EvaluationEvent& event) {
    seen = EvaluationEvent::kName;
    for (const auto& [name, value] : event.attributes) {
      const auto* text = std::get_if<std::string>(&value);
      seen += "\n" + std::string(name) + " " +
              (text != nullptr         ? *text
               : std::get<bool>(value) ? "true"
                                       : "false");
    }
  }));
  Context context("p-1");
  context.set("client", "was here");
  EXPECT_TRUE(client->boolean("door", false, context));
  EXPECT_EQ(
      seen,
      "feature_flag.evaluation\nfeature_flag.key door\nfeature_flag.provider.name showcaller\n"
      "feature_flag.result.reason targeting_match\nfeature_flag.result.variant open\n"
      "feature_flag.context.id p-1");
  EXPECT_TRUE(client->boolean("gate", true, Context()));
  EXPECT_EQ(
      seen,
      "feature_flag.evaluation\nfeature_flag.key gate\nfeature_flag.provider.name showcaller\n"
      "feature_flag.result.reason error\nfeature_flag.result.value true\n"
      "error.type flag_not_found\nfeature_flag.error.message there is no such flag");
}

}  // namespace
}  // namespace showcaller::sdk
