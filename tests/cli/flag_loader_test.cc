// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flag_loader.h"

#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/flag/flag_document.h"
#include "tests/adapters/scratch_folder.h"

namespace showcaller {
namespace {

std::string placed(const std::string& name, const std::string& text, std::string_view error) {
  return place_in({name, text}, error);
}

TEST(FlagDocument, JsonAndYamlByTheirNames) {
  EXPECT_EQ(read_flag_document({"a.json", R"({"flags":{}})"}),
            json::value({{"flags", json::object()}}));
  const auto yaml = read_flag_document({"a.yaml", "flags:\n  door: { variants: { on: true } }\n"});
  ASSERT_TRUE(yaml);
  EXPECT_EQ(to_json_text(*yaml), R"({"flags":{"door":{"variants":{"on":true}}}})");
  EXPECT_TRUE(read_flag_document({"http://h/flags", R"({"flags":{}})"}));
  EXPECT_TRUE(read_flag_document({"http://h/flags", "flags: {}"}));
  const auto bad = read_flag_document({"a.json", "{\n  \"flags\": oops"});
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().message.starts_with("a.json:2:")) << bad.error().message;
  const auto bad_yaml = read_flag_document({"a.yaml", "flags: [\n"});
  ASSERT_FALSE(bad_yaml);
  EXPECT_TRUE(bad_yaml.error().message.starts_with("a.yaml:")) << bad_yaml.error().message;
}

TEST(FlagDocument, WhatIsWrongHasAPlace) {
  const std::string text = "{\"flags\": {\n  \"a/b\": {\n    \"defaultVariant\": \"x\"}}}";
  EXPECT_EQ(placed("a.json", text, "/flags/a~1b/defaultVariant: no"),
            "a.json:3:6: /flags/a~1b/defaultVariant: no");
  EXPECT_EQ(placed("a.json", text, "/flags/a~1b/gone: no"), "a.json:2:4: /flags/a~1b/gone: no");
  EXPECT_EQ(placed("a.json", "[", "/flags: no"), "a.json: /flags: no");
}

struct Loading {
  Loading() : log(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {}
  void write(const std::string& text) const { std::ofstream(folder.file("flags.json")) << text; }
  Status start() { return loader.start({{.name = folder.file("flags.json")}}, seconds(10)); }
  void wait_for(const std::string& outcome) {
    std::unique_lock lock(mutex);
    arrived.wait_for(lock, std::chrono::seconds(10), [&] { return last == outcome; });
    EXPECT_EQ(last, outcome);
  }

  const ScratchFolder folder;
  Log log;
  SourcesFeed feed{{"flags.json"}, "source", [] { return instant_ms(0); }};
  std::mutex mutex;
  std::condition_variable arrived;
  std::string last;
  FlagLoader loader{&feed, &log, [this](const std::string&, std::string_view outcome) {
                      const std::lock_guard lock(mutex);
                      last = outcome;
                      arrived.notify_all();
                    }};
};

TEST(FlagLoader, TheLastGoodDocumentIsKept) {
  Loading loading;
  loading.write(R"({"flags":{"a":{}}})");
  ASSERT_TRUE(loading.start());
  EXPECT_TRUE((*loading.feed.flags({}))->contains("a"));
  loading.write("{");
  loading.wait_for("refused");
  EXPECT_TRUE((*loading.feed.flags({}))->contains("a"));
  std::filesystem::remove(loading.folder.file("flags.json"));
  loading.wait_for("unavailable");
  EXPECT_TRUE((*loading.feed.flags({}))->contains("a"));
  loading.write(R"({"flags":{"b":{}}})");
  loading.wait_for("ok");
  EXPECT_TRUE((*loading.feed.flags({}))->contains("b"));
}

TEST(FlagLoader, WhatWasNeverGoodDoesNotStart) {
  Loading none;
  EXPECT_EQ(none.start().error().code, ErrorCode::Unavailable);
  Loading bad;
  bad.write(R"({"flags":7})");
  const auto started = bad.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::Invalid);
}

}  // namespace
}  // namespace showcaller
