// SPDX-License-Identifier: Apache-2.0
// The tree keeps its own rules, and the checker that says so can say no: each fixture is a small
// tree with one breach.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = SHOWCALLER_SOURCE_DIR;

struct Ended {
  int code = -1;
  std::string output;
};

Ended run(const std::string& command) {
  Ended ended;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return ended;
  char buffer[4096];
  while (const std::size_t n = fread(buffer, 1, sizeof buffer, pipe))
    ended.output.append(buffer, n);
  const int status = pclose(pipe);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

using Files = std::map<std::string, std::string>;

// A tree of its own in a temporary folder: a good one, and what the fixture changes in it.
class Fixture {
 public:
  explicit Fixture(const Files& changes) {
    std::string name = (fs::temp_directory_path() / "showcaller-house-XXXXXX").string();
    root_ = mkdtemp(name.data());
    Files files{{"LAYERS",
                 "# comment\nbase:\nmodel: base\nflow: base model\nadapters: base */port\nhost: "
                 "base flow\n"},
                {"src/base/time.h", good_header()},
                {"src/model/world.h", good_header("#include \"base/time.h\"\n")},
                {"src/flow/port/journal.h", good_header("#include \"model/world.h\"\n")},
                {"src/flow/inner.h", good_header()},
                {"src/adapters/sqlite/journal.h",
                 good_header("#include \"flow/port/journal.h\"\n#include <map>\n")},
                {"src/adapters/nats/journal.h", good_header()},
                {"src/host/clock.cc", good_source("auto t = std::chrono::system_clock::now();\n")}};
    for (const auto& [path, text] : changes) files[path] = text;
    for (const auto& [path, text] : files) write(path, text);
  }
  ~Fixture() { fs::remove_all(root_); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  Ended check() const {
    return run((kRoot / "tools/check_layers").string() + " " + root_.string());
  }

  static std::string good_header(const std::string& body = "") {
    return "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n" + body;
  }
  static std::string good_source(const std::string& body = "") {
    return "// SPDX-License-Identifier: Apache-2.0\n" + body;
  }

 private:
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

struct Breach {
  std::string name;
  Files files;
  std::string expected;  // one line of what the checker prints
};

void PrintTo(const Breach& breach, std::ostream* out) {
  *out << breach.name;
}

std::string header(const std::string& body) {
  return Fixture::good_header(body);
}
std::string source(const std::string& body) {
  return Fixture::good_source(body);
}

const std::string kClock = "src/model/a.cc:2: purity: reads a clock; take the time as a value";
const std::string kChance =
    "src/model/a.cc:2: purity: draws chance that no seed repeats; use base/random.h";
const std::string kFiles =
    "src/model/a.cc:2: purity: reads or writes files; leave that to an adapter";
const std::string kUnordered =
    "src/model/a.cc:2: purity: has an unordered container; use std::map, or say // never iterated";

Breach impure(std::string name, const std::string& line, std::string expected) {
  return {std::move(name), {{"src/model/a.cc", source(line + "\n")}}, std::move(expected)};
}

std::vector<Breach> breaches_of_layers() {
  return {
      {"IncludesUpward",
       {{"src/base/time.h", header("#include \"model/world.h\"\n")}},
       "src/base/time.h:3: layers: base may not include \"model/world.h\"; see LAYERS"},
      {"AdapterSeesMoreThanAPort",
       {{"src/adapters/sqlite/journal.h", header("#include \"flow/inner.h\"\n")}},
       "src/adapters/sqlite/journal.h:3: layers: adapters/sqlite may not include \"flow/inner.h\"; "
       "see LAYERS"},
      {"AdapterIncludesItsSibling",
       {{"src/adapters/sqlite/journal.h", header("#include \"adapters/nats/journal.h\"\n")}},
       "src/adapters/sqlite/journal.h:3: layers: adapters/sqlite may not include "
       "\"adapters/nats/journal.h\"; see LAYERS"},
      {"UnknownFolder",
       {{"src/extra/a.h", header("")}},
       "src/extra:1: layers: an unknown folder; name it in LAYERS, with a decision record"},
      {"LayersInACircle",
       {{"LAYERS",
         "base: model\nmodel: base\nflow: base model\nadapters: base */port\nhost: base flow\n"}},
       "LAYERS:1: layers: base may include model, which does not come before it"},
      {"ClimbingInclude",
       {{"src/model/world.h", header("#include \"../base/time.h\"\n")}},
       "src/model/world.h:3: house: \"../base/time.h\" climbs; include from src/ on"},
  };
}

std::vector<Breach> breaches_of_purity() {
  return {
      impure("SystemClock", "auto t = std::chrono::system_clock::now();", kClock),
      impure("SteadyClock", "auto t = steady_clock :: now();", kClock),
      impure("CTime", "auto t = time(nullptr);", kClock),
      impure("Sleep", "std::this_thread::sleep_for(t);", kClock),
      impure("Environment", "auto e = std::getenv(\"HOME\");",
             "src/model/a.cc:2: purity: reads the environment; take it as a value"),
      impure("Rand", "int r = rand();", kChance),
      impure("RandomDevice", "std::random_device device;", kChance),
      impure("Distribution", "std::normal_distribution<double> d;",
             "src/model/a.cc:2: purity: uses a distribution that differs between libraries; use "
             "base/random.h"),
      impure("Thread", "std::thread t(f);",
             "src/model/a.cc:2: purity: starts a thread; leave that to the host or an adapter"),
      impure("Unordered", "std::unordered_map<int, int> m;", kUnordered),
      impure("OpensAFile", "std::ifstream in(path);", kFiles),
      impure("Fopen", "auto* f = fopen(path, \"r\");", kFiles),
  };
}

std::vector<Breach> breaches_of_the_house() {
  return {
      {"AsioInAHeader",
       {{"src/host/a.h", header("#include <boost/asio/io_context.hpp>\n")}},
       "src/host/a.h:3: headers: <boost/asio/io_context.hpp> stands in a header; include it in the "
       ".cc"},
      {"GrpcInAHeaderOfATest",
       {{"tests/host/a.h", header("#include <grpcpp/grpcpp.h>\n")}},
       "tests/host/a.h:3: headers: <grpcpp/grpcpp.h> stands in a header; include it in the .cc"},
      {"SqliteOutsideItsAdapter",
       {{"src/host/a.cc", source("#include <sqlite3.h>\n")}},
       "src/host/a.cc:2: headers: <sqlite3.h> belongs to adapters/sqlite and cli"},
      {"NoLicence",
       {{"src/model/a.cc", "int a;\n"}},
       "src/model/a.cc:1: house: the first line is not '// SPDX-License-Identifier: Apache-2.0'"},
      {"NoPragmaOnce",
       {{"src/model/a.h", source("")}},
       "src/model/a.h:1: house: a header without #pragma once"},
      {"TooLong",
       {{"src/model/a.cc", source(std::string(700, '\n'))}},
       "src/model/a.cc:701: house: 701 lines; past 700 a file wants to be two"},
      {"ANameThatSaysNothing",
       {{"src/model/world_util.cc", source("")}},
       "src/model/world_util.cc:1: house: the name says nothing; name the noun that is in it"},
      {"AnUnfinishedThought",
       {{"docs/a.md",
         "ok\nTO"
         "DO: later\n"}},
       "docs/a.md:2: house: 'TO"
       "DO' does not belong into the tree"},
      {"APathOfSomebodysMachine",
       {{"tools/a",
         "cd /wo"
         "rk/main\n"}},
       "tools/a:1: house: '/wo"
       "rk/' does not belong into the tree"},
      {"FastMath",
       {{"cmake/a.cmake",
         "add_compile_options(-ff"
         "ast-math)\n"}},
       "cmake/a.cmake:1: house: arithmetic must not depend on the machine"},
  };
}

class EachBreach : public testing::TestWithParam<Breach> {};

TEST_P(EachBreach, IsRefused) {
  const Ended ended = Fixture(GetParam().files).check();
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.output.substr(0, ended.output.find('\n')), GetParam().expected) << ended.output;
}

const auto kNameOf = [](const testing::TestParamInfo<Breach>& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Layers, EachBreach, testing::ValuesIn(breaches_of_layers()), kNameOf);
INSTANTIATE_TEST_SUITE_P(Purity, EachBreach, testing::ValuesIn(breaches_of_purity()), kNameOf);
INSTANTIATE_TEST_SUITE_P(House, EachBreach, testing::ValuesIn(breaches_of_the_house()), kNameOf);

TEST(House, AGoodTreeIsAccepted) {
  const Ended ended = Fixture({}).check();
  EXPECT_EQ(ended.code, 0) << ended.output;
}

TEST(House, WordsInCommentsAndTextAreNoBreach) {
  const Ended ended =
      Fixture({{"src/model/a.cc",
                source("// never std::random_device, never rand()\n"
                       "const char* s = \"std::thread system_clock::now()\";\n"
                       "std::unordered_map<int, int> m;  // never iterated\n"
                       "int at_time(int n); auto x = at_time(0); auto n = 1'000'000;\n")}})
          .check();
  EXPECT_EQ(ended.code, 0) << ended.output;
}

TEST(House, ThisTreeKeepsTheRules) {
  const Ended ended = run((kRoot / "tools/check_layers").string());
  EXPECT_EQ(ended.code, 0) << ended.output;
}

std::set<std::string> commands_of_help() {
  const std::string help = run((kRoot / "run").string() + " help").output;
  std::set<std::string> commands;
  const std::regex line("\n  ([a-z]+)[ \n]");
  for (std::sregex_iterator at(help.begin(), help.end(), line), end; at != end; ++at)
    commands.insert((*at)[1]);
  return commands;
}

TEST(House, HelpListsEveryCommandAndEachExists) {
  std::set<std::string> tools;
  for (const auto& entry : fs::directory_iterator(kRoot / "tools")) {
    const std::string name = entry.path().filename();
    if (name.starts_with("run_")) tools.insert(name.substr(4));
  }
  EXPECT_EQ(commands_of_help(), tools);
  for (const std::string& tool : tools) {
    const auto permissions = fs::status(kRoot / ("tools/run_" + tool)).permissions();
    EXPECT_NE(permissions & fs::perms::owner_exec, fs::perms::none) << tool;
  }
}

TEST(House, AnUnknownCommandIsRefused) {
  const Ended ended = run((kRoot / "run").string() + " dance");
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.output.find("there is no command 'dance'"), std::string::npos);
}

TEST(House, DocsExplainEveryCommand) {
  const std::string page = read(kRoot / "docs/development.md");
  for (const std::string& command : commands_of_help()) {
    EXPECT_NE(page.find("`./run " + command), std::string::npos) << command;
  }
}

}  // namespace
