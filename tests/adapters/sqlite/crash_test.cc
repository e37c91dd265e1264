// SPDX-License-Identifier: Apache-2.0
// A process that appends in a loop is killed at a random moment; every seq that it told us of is
// there afterwards.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/sqlite/sqlite_journal.h"
#include "base/random.h"
#include "tests/adapters/scratch_folder.h"
#include "tests/flow/journal_batches.h"

namespace showcaller {
namespace {

// Runs in the child: appends for ever, tells each acknowledged seq. Ends only by a signal, or with
// status 1.
[[noreturn]] void append_for_ever(const std::string& path, std::uint64_t seed, int pipe) {
  Random random(seed);
  auto journal = SqliteJournal::open(path);
  if (!journal) ::_exit(1);
  while (true) {
    const auto seq =
        append_some(**journal, 1 + int(random.below(20)), std::string(random.below(500), 'c'));
    if (!seq) ::_exit(1);
    if (::write(pipe, &*seq, sizeof *seq) != sizeof *seq) ::_exit(1);
  }
}

TEST(Crash, AKilledWriterLosesNothingThatItAcknowledged) {
  const ScratchFolder folder;
  const std::string path = folder.file("journal.db");
  Random random(17);
  std::uint64_t known = 0;
  for (int life = 0; life < 12; ++life) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      append_for_ever(path, std::uint64_t(life), ends[1]);
    }
    ::close(ends[1]);
    std::uint64_t seq = 0;
    // Killed after a number of acknowledgements, which falls anywhere within the next append.
    for (std::uint64_t acks = 1 + random.below(40); acks > 0; --acks) {
      ASSERT_EQ(::read(ends[0], &seq, sizeof seq), ssize_t(sizeof seq));
      known = seq;
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &seq, sizeof seq) == ssize_t(sizeof seq)) known = seq;
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    // The kernel let go of the dead owner's lock; nobody has to clean up.
    const auto journal = SqliteJournal::open(path);
    ASSERT_TRUE(journal) << journal.error().message;
    const auto verified = (*journal)->verify();
    ASSERT_TRUE(verified) << verified.error().message;
    ASSERT_GE(verified->seq, known);
    known = verified->seq;
  }
}

}  // namespace
}  // namespace showcaller
