// SPDX-License-Identifier: Apache-2.0
// Real files, changed in the ways that editors, deployments and Kubernetes change them.
#include "adapters/watched_file/watched_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/adapters/document_heard.h"
#include "tests/adapters/scratch_folder.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

struct Place {
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.file(name)) << text;
  }
  const ScratchFolder folder;
};

TEST(WatchedFile, WrittenInPlaceAndRenamedOver) {
  const Place place;
  place.write("flags.json", "one");
  DocumentHeard heard;
  WatchedFile file(place.folder.file("flags.json"));
  file.start(heard.sink());
  EXPECT_EQ(heard.next(), "one");
  place.write("flags.json", "two");
  EXPECT_EQ(heard.next(), "two");
  place.write("new.json", "three");
  fs::rename(place.folder.file("new.json"), place.folder.file("flags.json"));
  EXPECT_EQ(heard.next(), "three");
  // The same again is no news; what comes after it is.
  place.write("flags.json", "three");
  place.write("new.json", "four");
  fs::rename(place.folder.file("new.json"), place.folder.file("flags.json"));
  EXPECT_EQ(heard.next(), "four");
}

TEST(WatchedFile, AConfigMapsFolderIsSwapped) {
  const Place place;
  for (const char* name : {"one", "two"}) {
    fs::create_directory(place.folder.file(name));
    place.write(std::string(name) + "/flags.json", name);
  }
  fs::create_symlink("one", place.folder.file("..data"));
  fs::create_symlink("..data/flags.json", place.folder.file("flags.json"));
  DocumentHeard heard;
  WatchedFile file(place.folder.file("flags.json"));
  file.start(heard.sink());
  EXPECT_EQ(heard.next(), "one");
  fs::create_symlink("two", place.folder.file("..data_tmp"));
  fs::rename(place.folder.file("..data_tmp"), place.folder.file("..data"));
  EXPECT_EQ(heard.next(), "two");
}

TEST(WatchedFile, ALinksTargetInAnotherFolder) {
  const Place place;
  fs::create_directory(place.folder.file("there"));
  place.write("there/real.json", "one");
  fs::create_symlink("there/real.json", place.folder.file("flags.json"));
  DocumentHeard heard;
  WatchedFile file(place.folder.file("flags.json"));
  file.start(heard.sink());
  EXPECT_EQ(heard.next(), "one");
  place.write("there/real.json", "two");
  EXPECT_EQ(heard.next(), "two");
}

TEST(WatchedFile, GoneAndBackAgain) {
  const Place place;
  DocumentHeard heard;
  WatchedFile file(place.folder.file("flags.json"));
  file.start(heard.sink());
  EXPECT_EQ(heard.next(), "error unavailable");
  place.write("flags.json", "one");
  EXPECT_EQ(heard.next(), "one");
  fs::remove(place.folder.file("flags.json"));
  EXPECT_EQ(heard.next(), "error unavailable");
  // The same as before is news after an error.
  place.write("flags.json", "one");
  EXPECT_EQ(heard.next(), "one");
}

TEST(WatchedFile, EndsWithoutAWait) {
  const Place place;
  place.write("flags.json", "one");
  DocumentHeard heard;
  {
    WatchedFile file(place.folder.file("flags.json"));
    file.start(heard.sink());
    EXPECT_EQ(heard.next(), "one");
  }
  place.write("flags.json", "two");
  EXPECT_TRUE(heard.is_quiet());
}

}  // namespace
}  // namespace showcaller
