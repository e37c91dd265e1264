// SPDX-License-Identifier: Apache-2.0
// The SQLite ledger keeps the port's text; nothing on its disk names a player, and an erased key is
// gone from the bytes.
#include "adapters/sqlite/sqlite_ledger.h"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "tests/adapters/scratch_folder.h"
#include "tests/flow/ledger_conformance.h"

namespace showcaller {
namespace {

std::unique_ptr<SqliteLedger> open_ledger_or_die(const std::string& folder) {
  auto opened = SqliteLedger::open(folder);
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? *std::move(opened) : nullptr;
}

class SqliteLedgerBench final : public LedgerBench {
 public:
  Ledger& ledger() override {
    if (!ledger_) ledger_ = open_ledger_or_die(folder_.file("ledger"));
    return *ledger_;
  }
  void close() override { ledger_.reset(); }

 private:
  ScratchFolder folder_;
  std::unique_ptr<SqliteLedger> ledger_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, LedgerConformance,
                         testing::Values([] { return std::make_unique<SqliteLedgerBench>(); }));

// All bytes of the folder, logs included.
std::string everything(const std::string& folder) {
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(file.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  return all;
}

TEST(SqliteLedger, NoPlayerIsNamedAndAnErasedKeyIsGoneFromTheDisk) {
  const ScratchFolder folder;
  const auto ledger = open_ledger_or_die(folder.path());
  LedgerEntry ada = entry("ada-lovelace-1815", 1);
  ada.session = "s-1";
  ASSERT_TRUE(ledger->add(std::vector{ada, entry("bob", 2)}));
  EXPECT_EQ(everything(folder.path()).find("ada-lovelace"), std::string::npos);
  std::vector<std::string> keys;
  {
    const auto database = Database::open(folder.file("keys.db"), OpenMode::ReadOnly).value();
    auto rows = database.prepare("SELECT key FROM players").value();
    while (rows.step().value()) keys.push_back(std::string(rows.column_bytes(0)));
  }
  ASSERT_EQ(keys.size(), 2u);
  ASSERT_TRUE(ledger->erase_player("ada-lovelace-1815"));
  const std::string left = everything(folder.path());
  EXPECT_EQ((left.find(keys[0]) == std::string::npos) + (left.find(keys[1]) == std::string::npos),
            1);
}

TEST(SqliteLedger, NotesNameNobodyAndATornOneEndsThem) {
  const ScratchFolder folder;
  {
    const auto ledger = open_ledger_or_die(folder.path());
    LedgerEntry ada = entry("ada-lovelace-1815", 1);
    ada.session = "s-1";
    ASSERT_TRUE(ledger->note(std::vector{ada, entry("bob", 2)}));
    EXPECT_EQ(everything(folder.path()).find("ada-lovelace"), std::string::npos);
  }
  const std::string notes = folder.file("notes");
  std::filesystem::resize_file(notes, std::filesystem::file_size(notes) - 1);
  EXPECT_EQ(rows_of(*open_ledger_or_die(folder.path())).size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(notes));
  EXPECT_FALSE(std::filesystem::exists(notes + ".settling"));
}

TEST(SqliteLedger, FilesAreThePrivateMatterOfTheirOwner) {
  const ScratchFolder folder;
  const auto ledger = open_ledger_or_die(folder.file("ledger"));
  ASSERT_TRUE(ledger->add(std::vector{entry("ada", 1)}));
  for (const char* name : {"ledger/keys.db", "ledger/winter-raid+r1.ledger"}) {
    struct stat facts{};
    ASSERT_EQ(::stat(folder.file(name).c_str(), &facts), 0) << name;
    EXPECT_EQ(facts.st_mode & 0777, 0600u) << name;
  }
  EXPECT_EQ(SqliteLedger::open(folder.file("ledger")).error().code, ErrorCode::Conflict);
}

TEST(SqliteLedger, RevisionsAreFilesAndCanBeRemoved) {
  const ScratchFolder folder;
  const auto ledger = open_ledger_or_die(folder.path());
  for (int revision = 1; revision <= 12; ++revision) {  // More than are kept open.
    ASSERT_TRUE(ledger->add(std::vector{entry("ada", 1, revision)}));
  }
  EXPECT_EQ(ledger->revisions().value().size(), 12u);
  EXPECT_EQ(exported(*ledger, "ada").size(), 12u);
  ASSERT_TRUE(ledger->remove("winter-raid", 3));
  EXPECT_EQ(ledger->remove("winter-raid", 3).error().code, ErrorCode::NotFound);
  EXPECT_EQ(exported(*ledger, "ada").size(), 11u);
}

TEST(SqliteLedger, ANewerVersionsFileIsRefused) {
  const ScratchFolder folder;
  ASSERT_TRUE(open_ledger_or_die(folder.path())->add(std::vector{entry("ada", 1)}));
  {
    const auto keys = Database::open(folder.file("keys.db"), OpenMode::ReadWrite).value();
    ASSERT_TRUE(keys.execute("PRAGMA user_version=2"));
  }
  EXPECT_EQ(SqliteLedger::open(folder.path()).error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace showcaller
