// SPDX-License-Identifier: Apache-2.0
// Readers on several threads while values are replaced: none that is read is gone, none stays
// behind.
#include "sdk/snapshot_cell.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>

namespace showcaller::sdk {
namespace {

constexpr int kValues = 500;
constexpr int kReaders = 4;

// Whether each of the values is there. Beside them, so that looking is allowed when one is not.
std::array<std::atomic<bool>, kValues> is_there;

struct Numbered {
  explicit Numbered(int its_number) : number(its_number) { is_there[std::size_t(number)] = true; }
  ~Numbered() { is_there[std::size_t(number)] = false; }
  int number;
};

// How often a value was gone while it was read, or older than one read before.
int mistakes_of_a_reader(const SnapshotCell<Numbered>& cell) {
  int mistakes = 0;
  for (int last = 0; last < kValues - 1;) {
    const auto value = cell.read();
    const int number = value->number;
    mistakes += number < last;
    std::this_thread::yield();  // Long enough for a writer who does not wait.
    mistakes += !is_there[std::size_t(number)];
    last = std::max(last, number);
  }
  return mistakes;
}

TEST(SnapshotCell, KeepsWhatIsReadUntilNobodyReadsIt) {
  {
    SnapshotCell<Numbered> cell;
    EXPECT_FALSE(cell.read());
    cell.publish(std::make_unique<const Numbered>(0));
    std::array<int, kReaders> mistakes{};
    std::vector<std::thread> readers;
    for (int& found : mistakes) readers.emplace_back([&] { found = mistakes_of_a_reader(cell); });
    for (int number = 1; number < kValues; ++number) {
      cell.publish(std::make_unique<const Numbered>(number));
      EXPECT_FALSE(is_there[std::size_t(number - 1)]) << number;
    }
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(mistakes, (std::array<int, kReaders>{}));
    EXPECT_EQ(cell.read()->number, kValues - 1);
  }
  for (const auto& there : is_there) EXPECT_FALSE(there);
}

}  // namespace
}  // namespace showcaller::sdk
