// SPDX-License-Identifier: Apache-2.0
// Evidence in files keeps the port's text; a torn or damaged end is cut, kept and told of; bounds
// hold.
#include "adapters/evidence_files/evidence_files.h"

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "tests/adapters/scratch_folder.h"
#include "tests/flow/evidence_conformance.h"

namespace showcaller {
namespace {

std::unique_ptr<EvidenceFiles> open_or_die(const std::string& folder,
                                           const EvidenceFilesOptions& options = {}) {
  auto opened = EvidenceFiles::open(folder, options);
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? *std::move(opened) : nullptr;
}

class FilesBench final : public EvidenceBench {
 public:
  EvidenceStore& store() override {
    if (!store_) store_ = open_or_die(folder_.path());
    return *store_;
  }
  void close() override { store_.reset(); }

 private:
  ScratchFolder folder_;
  std::unique_ptr<EvidenceFiles> store_;
};

INSTANTIATE_TEST_SUITE_P(Files, EvidenceConformance,
                         testing::Values([] { return std::make_unique<FilesBench>(); }));

constexpr std::string_view kStream = "winter-raid/r7/v1";
constexpr const char* kFile = "winter-raid+r7+v1.evidence";

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool equal(const EvidenceMark& a, const EvidenceMark& b) {
  return a.offset == b.offset && a.hash == b.hash;
}

// Ten lines; returns the marks after each.
std::vector<EvidenceMark> write_ten(const std::string& folder) {
  std::vector<EvidenceMark> marks;
  const auto store = open_or_die(folder);
  for (int i = 0; i < 10; ++i)
    marks.push_back(store->append(kStream, std::string(50, char('0' + i))).value());
  EXPECT_TRUE(store->flush());
  return marks;
}

TEST(EvidenceFiles, ATornEndIsCutAtEveryByteAndKept) {
  const ScratchFolder folder;
  const auto marks = write_ten(folder.path());
  const std::string path = folder.file(kFile);
  const std::string whole = contents(path);
  const std::size_t ninth = whole.size() - (64 + 1 + 50 + 1);
  for (std::size_t size = ninth + 1; size < whole.size(); size += 7) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    const auto store = open_or_die(folder.path());
    const auto lines = read_lines(*store, kStream);
    ASSERT_EQ(lines.size(), 9u);
    EXPECT_TRUE(equal(lines.back().second, marks[8]));
    const auto notes = store->take_notes();
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_NE(notes[0].message.find("after line 9"), std::string::npos) << notes[0].message;
    EXPECT_TRUE(store->take_notes().empty());
    EXPECT_EQ(contents(path), whole.substr(0, ninth));
    EXPECT_TRUE(check_mark(*store, kStream, marks[8]));
    EXPECT_EQ(check_mark(*store, kStream, marks[9]).error().code, ErrorCode::Corrupt);
    EXPECT_TRUE(equal(store->append(kStream, std::string(50, '9')).value(),
                      marks[9]));  // and the stream goes on
  }
  EXPECT_EQ(contents(path + ".cut-1"), whole.substr(ninth, 1));
}

TEST(EvidenceFiles, AChangedByteAnywhereIsNeverTakenForEvidence) {
  const ScratchFolder folder;
  const auto marks = write_ten(folder.path());
  const std::string path = folder.file(kFile);
  const std::string whole = contents(path);
  Random random(5);
  for (int round = 0; round < 60; ++round) {
    std::string damaged = whole;
    damaged[random.below(whole.size())] ^= char(1u << random.below(8));
    std::ofstream(path, std::ios::binary) << damaged;
    const auto store = open_or_die(folder.path());
    const auto lines = read_lines(*store, kStream);
    EXPECT_LT(lines.size(), 10u);
    for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_TRUE(equal(lines[i].second, marks[i]));
    EXPECT_EQ(check_mark(*store, kStream, marks[9]).error().code, ErrorCode::Corrupt);
    EXPECT_FALSE(store->take_notes().empty());
  }
}

TEST(EvidenceFiles, DamageBeneathAnOpenStoreIsFoundWhenRead) {
  const ScratchFolder folder;
  const auto store = open_or_die(folder.path());
  ASSERT_TRUE(store->append(kStream, std::string(100, 'a')));
  ASSERT_TRUE(store->append(kStream, std::string(100, 'b')));
  std::string damaged = contents(folder.file(kFile));
  damaged[damaged.size() - 50] ^= 1;
  std::ofstream(folder.file(kFile), std::ios::binary) << damaged;
  const Status read = store->read(kStream, [](auto, const auto&) { return true; });
  EXPECT_EQ(read.error().code, ErrorCode::Corrupt);
}

std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

TEST(EvidenceFiles, StreamsThatAreReadOrClosedHoldNoFileOpen) {
  const ScratchFolder folder;
  const auto store = open_or_die(folder.path());
  const std::size_t before = open_files();
  for (int visit = 1; visit <= 20; ++visit) {
    const std::string stream = fmt::format("raid/r1/v{}", visit);
    ASSERT_TRUE(store->append(stream, "tick"));
    store->close(stream);
    EXPECT_EQ(read_lines(*store, stream).size(), 1u);
  }
  EXPECT_EQ(open_files(), before);
  ASSERT_TRUE(store->append("raid/r1/v1", "tock"));
  EXPECT_EQ(read_lines(*store, "raid/r1/v1").size(), 2u);
}

TEST(EvidenceFiles, WhatIsOldGoesUnlessItIsOpen) {
  const ScratchFolder folder;
  const auto store = open_or_die(folder.path());
  for (const char* stream : {"raid/r1", "raid/r2", "raid/r3"}) {
    ASSERT_TRUE(store->append(stream, "tick"));
    if (stream != std::string("raid/r3")) store->close(stream);
  }
  for (const char* file : {"raid+r1.evidence", "raid+r3.evidence"}) {
    std::filesystem::last_write_time(
        folder.file(file), std::filesystem::file_time_type::clock::now() - std::chrono::hours(48));
  }
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  EXPECT_EQ(store->remove_older(now - hours(24)).value(), 1u);
  const auto left = store->list().value();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].name, "raid/r2");
}

TEST(EvidenceFiles, LinesLongerThanAReadAreWhole) {
  const ScratchFolder folder;
  const std::string tick(700'000, 'x');
  for (int i = 0; i < 3; ++i) {
    const auto store = open_or_die(folder.path());
    ASSERT_TRUE(store->append(kStream, tick + std::to_string(i)));
    EXPECT_EQ(read_lines(*store, kStream).size(), std::size_t(i + 1));
  }
}

TEST(EvidenceFiles, BoundsRefuseAndTheOldestIdleStreamGoesFirst) {
  const ScratchFolder folder;
  const EvidenceFilesOptions options{.stream_bytes_max = 2000, .total_bytes_max = 5000};
  const std::string line(1400, 'x');
  for (int revision = 1; revision <= 3; ++revision) {
    const auto store = open_or_die(folder.path(), options);
    ASSERT_TRUE(store->append(fmt::format("raid/r{}", revision), line));
    EXPECT_EQ(store->append(fmt::format("raid/r{}", revision), line).error().code,
              ErrorCode::Limit);
    std::filesystem::last_write_time(
        folder.file(fmt::format("raid+r{}.evidence", revision)),
        std::filesystem::file_time_type(std::chrono::seconds(revision)));
  }
  const auto store = open_or_die(folder.path(), options);
  ASSERT_TRUE(store->append("raid/r1", "x"));  // in use now
  ASSERT_TRUE(store->append("raid/r4", line));
  const auto streams = store->list().value();
  ASSERT_EQ(streams.size(), 3u);
  EXPECT_EQ(streams[0].name, "raid/r1");
  EXPECT_EQ(streams[1].name, "raid/r3");
  EXPECT_EQ(store->take_notes().size(), 1u);
  ASSERT_TRUE(store->append("raid/r5", line));
  EXPECT_EQ(store->append("raid/r6", line).error().code, ErrorCode::Limit);
  ASSERT_TRUE(store->remove("raid/r1"));
  EXPECT_EQ(store->remove("raid/r1").error().code, ErrorCode::NotFound);
  EXPECT_TRUE(store->append("raid/r6", line));
}

TEST(EvidenceFiles, OneProcessOwnsAFolder) {
  const ScratchFolder folder;
  const auto store = open_or_die(folder.path());
  EXPECT_EQ(EvidenceFiles::open(folder.path()).error().code, ErrorCode::Conflict);
}

}  // namespace
}  // namespace showcaller
