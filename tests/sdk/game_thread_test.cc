// SPDX-License-Identifier: Apache-2.0
// Evaluating and reporting on a thread that may make no system call at all, and counts every mutex
// that it takes.
#include <atomic>
#include <cstddef>
#include <string>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "showcaller/client.h"
#include "tests/sdk/fake_server.h"

namespace {

thread_local std::int64_t mutexes_taken = 0;

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // Sanitizers make system calls and take mutexes of their own.
#else
constexpr bool kSanitized = false;

// In place of the C library's, for the whole program.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) {
  using Lock = int (*)(pthread_mutex_t*);
  static std::atomic<Lock> real{nullptr};
  if (real.load() == nullptr)
    real = reinterpret_cast<Lock>(::dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  ++mutexes_taken;
  return real.load()(mutex);
}
#endif

namespace showcaller::sdk {
namespace {

std::unique_ptr<Client> client_of(const std::shared_ptr<FakeServer>& server) {
  server->set_flags(R"({"flags":{
    "door":{"variants":{"open":true,"shut":false},"defaultVariant":"shut",
      "targeting":{"if":[{"in":[{"var":"group"},["staff","qa"]]},"open",null]}},
    "share":{"variants":{"canary":true,"baseline":false},"defaultVariant":"baseline",
      "targeting":{"fractional":[{"cat":["salt",{"var":"party"}]},["canary",500000],["baseline",500000]]}},
    "timed":{"variants":{"a":1,"b":2},"defaultVariant":"b",
      "targeting":{"if":[{">":[{"var":"$flagd.timestamp"},5]},"a",null]}},
    "half":{"variants":{"a":0.5},"defaultVariant":"a"}}})");
  Options options;
  options.transport = server;
  options.background = false;
  auto client = std::make_unique<Client>(std::move(options));
  client->step(std::chrono::system_clock::now());
  return client;
}

// What a game does in a frame; a number that shows it was done.
int play_a_frame(Client& client, const Context& player) {
  int sum = client.boolean("door", false, player);
  sum += client.boolean("share", false, player);
  sum += client.boolean("absent", true, player);
  sum += int(client.integer("timed", 0, player));
  sum += int(client.number("half", 0, player) * 2);
  client.latency("join.latency", 5.0, {.event = "raid", .arm = "canary"});
  client.session_started();
  client.session_ended(Outcome::Completed);
  client.crash();
  client.error();
  client.count("raid.completed", 7, 5);
  client.exposed({.event = "raid", .arm = "canary", .unit = "party:9"});
  return sum;
}

Context staff() {
  Context player("player-1");
  player.set("group", "staff").set("party", "party-12").set("level", 7);
  return player;
}

// From here on any system call but the end of the process ends it.
bool forbid_system_calls() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  const sock_fprog program{.len = sizeof rules / sizeof rules[0], .filter = rules};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// A child that may not make system calls runs this; whether it lived.
template <class Do>
bool lives_without_system_calls(const Do& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!forbid_system_calls()) ::_exit(3);
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << "there is no seccomp here";
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(GameThread, MakesNoSystemCall) {
  if (kSanitized) GTEST_SKIP() << "under a sanitizer";
  const auto server = std::make_shared<FakeServer>();
  const auto client = client_of(server);
  const Context player = staff();
  EXPECT_TRUE(lives_without_system_calls([&] {
    for (int i = 0; i < 10'000; ++i) {
      if (play_a_frame(*client, player) < 4) ::_exit(1);
    }
  }));
  // The filter finds one.
  EXPECT_FALSE(lives_without_system_calls([] { ::getppid(); }));
}

TEST(GameThread, TakesNoMutex) {
  if (kSanitized) GTEST_SKIP() << "under a sanitizer";
  const auto server = std::make_shared<FakeServer>();
  const auto client = client_of(server);
  const Context player = staff();
  const std::int64_t before = mutexes_taken;
  int sum = 0;
  for (int i = 0; i < 1'000; ++i) sum += play_a_frame(*client, player);
  EXPECT_EQ(mutexes_taken, before);
  EXPECT_GE(sum, 4'000);
  // The count finds one.
  (void)client->dropped();
  client->step(std::chrono::system_clock::now());
  EXPECT_GT(mutexes_taken, before);
}

}  // namespace
}  // namespace showcaller::sdk
