// SPDX-License-Identifier: Apache-2.0
// From a change of a flag to its evaluation by many who read flags by stream: the real server in a
// process of its own, readers as bare sockets of one epoll loop on the same machine. Each reader
// that has its event evaluates the flag, in the set that the SDK's own code makes of the event.
// What a stream that says nothing costs the server is told too.
#include <atomic>
#include <cstring>
#include <fstream>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <sys/resource.h>

#include "bench/bare_log.h"
#include "bench/http_load.h"
#include "bench/propagation/relay_tree.h"
#include "codec/flag_delta.h"
#include "flag/flag_set.h"
#include "net/http_client.h"
#include "net/sse.h"

namespace showcaller {
namespace {

constexpr int kFlags = 100;
constexpr int kChanges = 40;

// The first is the one that changes, the others go to a share of players.
std::string flag_manifest(int i, bool open) {
  const std::string rule =
      i == 0 ? "{ if: [ { in: [ { var: group }, [staff, qa] ] }, open, null ] }"
             : fmt::format(
                   "{{ fractional: [ {{ cat: [ salt-{}, {{ var: targetingKey }} ] }}, "
                   "[ open, 25 ], [ shut, 75 ] ] }}",
                   i);
  return fmt::format(
      "apiVersion: showcaller.dev/v1\nkind: Flag\nmetadata: {{ name: flag-{}, owner: team-bench "
      "}}\n"
      "spec:\n  visibility: client\n  variants: {{ open: true, shut: false }}\n"
      "  defaultVariant: {}\n  targeting: {}\n",
      i, open ? "open" : "shut", rule);
}

// The program as a process with a folder of its own, once it listens.
class Program {
 public:
  Program(const std::string& program, std::vector<std::string> words)
      : data_(scratch_.file("data")) {
    const std::string url_file = scratch_.file("url");
    words.insert(words.begin(), program);
    for (const std::string& word :
         {std::string("--data"), data_, std::string("--port"), std::string("0"),
          std::string("--port-file"), url_file, std::string("--log-level"), std::string("error")}) {
      words.push_back(word);
    }
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execv(program.c_str(), argv.data());
      ::_exit(127);
    }
    for (int i = 0; i < 1'000 && url_.empty(); ++i) {
      std::ifstream(url_file) >> url_;
      if (url_.empty()) ::usleep(10'000);
    }
    CHECK(!url_.empty());
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }

  const std::string& url() const { return url_; }
  std::uint16_t port() const { return std::uint16_t(std::stoi(url_.substr(url_.rfind(':') + 1))); }
  double cpu_s() const {
    clockid_t clock{};
    ::clock_getcpuclockid(pid_, &clock);
    return bench::now_s(clock);
  }
  double resident_kib() const {
    std::ifstream file(fmt::format("/proc/{}/statm", pid_));
    double total = 0, resident = 0;
    file >> total >> resident;
    return resident * double(::sysconf(_SC_PAGESIZE)) / 1024;
  }

 protected:
  bench::Scratch scratch_;
  std::string data_;

 private:
  std::string url_;
  pid_t pid_ = 0;
};

class Server : public Program {
 public:
  explicit Server(const std::string& program) : Program(program, {"serve"}) {
    std::ifstream(data_ + "/admin.token") >> admin_;
    client_ = new_token("bench-client", "client");
  }

  void apply(const std::string& manifests) const {
    const auto answer = send({.method = "POST",
                              .target = "/api/v1/manifests",
                              .headers = {{"Content-Type", "application/yaml"}},
                              .body = manifests});
    CHECK(answer.status == 200);
  }
  const std::string& admin() const { return admin_; }
  const std::string& client() const { return client_; }
  std::string new_token(std::string_view name, std::string_view role) const {
    const auto answer =
        send({.method = "POST",
              .target = "/api/v1/tokens",
              .headers = {{"Content-Type", "application/json"}},
              .body = fmt::format(R"({{"name":"{}","roles":["{}"]}})", name, role)});
    return get_string(parse_json(answer.body)->as_object(), "token");
  }

 private:
  HttpResponse send(HttpClientRequest request) const {
    HttpClient client({.base_url = url()});
    request.headers.add("Authorization", "Bearer " + admin_);
    auto answer = client.send(request);
    CHECK(answer.has_value());
    if (answer->status >= 300) fmt::print(stderr, "{}\n", answer->body);
    return *std::move(answer);
  }
  std::string admin_, client_;
};

// A relay below the server, with its token.
class Relay : public Program {
 public:
  Relay(const std::string& program, const Server& server)
      : Program(program, {"relay", "--upstream", server.url(), "--region", "eu", "--token-file",
                          token_file(server.new_token("bench-relay", "relay"))}) {
    HttpClient client({.base_url = url()});
    for (int i = 0; i < 1'000; ++i) {
      const auto ready = client.get("/readyz");
      if (ready && ready->status == 200) return;
      ::usleep(10'000);
    }
    CHECK(false);
  }

 private:
  static std::string token_file(const std::string& token) {
    static const bench::Scratch scratch;
    std::ofstream(scratch.file("relay.token")) << token;
    return scratch.file("relay.token");
  }
};

// The value of the flag that changes, after this event; nothing where it says nothing of it.
class Understanding {
 public:
  explicit Understanding(bool rules) : rules_(rules) {}

  std::optional<bool> evaluate(std::string_view event) {
    return rules_ ? evaluate_rules(event) : decided_value(event);
  }

 private:
  // Of rules thousands get the same texts: each is understood once, and the flag evaluated by each
  // reader.
  std::optional<bool> evaluate_rules(std::string_view event) {
    const std::size_t hash = std::hash<std::string_view>()(event);
    auto at = sets_.find(hash);
    if (at == sets_.end()) {
      if (sets_.size() > 8) sets_.clear();
      at = sets_.emplace(hash, understand(event)).first;
    }
    const Evaluation answer = at->second.evaluate("flag-0", context_, instant_ms(0));
    if (answer.value == nullptr) return std::nullopt;
    return answer.value->as_bool();
  }

  // A decided flag is its value.
  static std::optional<bool> decided_value(std::string_view event) {
    constexpr std::string_view kBefore = R"("flag-0":{"state":"ENABLED","variants":{")";
    const std::size_t at = event.find(kBefore);
    if (at == event.npos) return std::nullopt;
    return event.substr(at + kBefore.size()).starts_with("open");
  }

  FlagSet understand(std::string_view text) {
    for (const SseEvent& event : SseParser(64 << 20).feed(text)) {
      if (event.event == "snapshot") document_ = parse_json(event.data)->as_object();
      if (event.event == "delta") {
        const auto delta = decode_flag_delta(event.data);
        CHECK(delta.has_value() && apply_flag_patch(&document_, delta->patch).has_value());
      }
    }
    return FlagSet::compile(document_).value_or(FlagSet());
  }

  const bool rules_;
  json::object document_{{"flags", json::object()}};
  std::map<std::size_t, FlagSet> sets_;
  EvaluationContext context_;
};

std::string stream_request(const Server& server, bool rules, int reader) {
  const std::string body =
      rules ? "" : fmt::format(R"({{"context":{{"targetingKey":"player-{}"}}}})", reader);
  return fmt::format(
      "{} /api/v1/flags/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      rules ? "GET" : "POST", rules ? server.admin() : server.client(), body.size(), body);
}

// Readers of one kind, all in one loop.
class Readers {
 public:
  Readers(const Server& server, const Program& from, bool rules, int count)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)), understanding_(rules) {
    for (int i = 0; i < count; ++i) {
      const std::string request = stream_request(server, rules, i);
      const int fd = bench::connect_to(from.port());
      CHECK(fd >= 0 && ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0);
      bench::watch(epoll_, fd);
      by_fd_.resize(std::max(by_fd_.size(), std::size_t(fd) + 1));
      fds_.push_back(fd);
      // Their first events are read while others come.
      if (i % 100 == 99) read_for(0);
    }
    while (first_ < count) read_for(1000);
  }
  ~Readers() {
    for (const int fd : fds_) ::close(fd);
    ::close(epoll_);
  }

  // Until each has evaluated this value; the seconds since `began` of each.
  std::vector<double> wait_for(bool value, double began) {
    value_ = value;
    times_.clear();
    while (times_.size() < fds_.size()) read_for(5000, began);
    return times_;
  }

 private:
  struct Reader {
    std::string text;
    bool greeted = false;
    bool value = false;
  };

  void read_for(int milliseconds, double began = 0) {
    epoll_event events[256];
    const int count = ::epoll_wait(epoll_, events, 256, milliseconds);
    CHECK(count > 0 || milliseconds == 0);
    for (int i = 0; i < count; ++i) take(events[i].data.fd, began);
  }

  void take(int fd, double began) {
    static char buffer[1 << 20];
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    CHECK(got > 0);
    Reader& reader = by_fd_[std::size_t(fd)];
    const std::string_view bytes(buffer, std::size_t(got));
    // A piece that is a whole event, as nearly all are, is not copied.
    const bool whole = reader.text.empty() && bytes.ends_with("\n\n\r\n");
    if (!whole) reader.text += bytes;
    const std::string_view text = whole ? bytes : reader.text;
    if (!text.ends_with("\n\n\r\n")) return;
    const std::size_t at = text.find("id: ");
    if (at != text.npos) {
      if (const auto value = understanding_.evaluate(text.substr(at, text.size() - at - 2)))
        evaluated(&reader, *value, began);
    }
    std::string().swap(reader.text);
  }

  void evaluated(Reader* reader, bool value, double began) {
    if (!std::exchange(reader->greeted, true)) {
      ++first_;
    } else if (value == value_ && reader->value != value) {
      times_.push_back(bench::now_s(CLOCK_MONOTONIC) - began);
    }
    reader->value = value;
  }

  const int epoll_;
  Understanding understanding_;
  std::vector<int> fds_;
  std::vector<Reader> by_fd_;
  std::vector<double> times_;
  bool value_ = false;
  int first_ = 0;
};

// What the readers of one place took for each change, in milliseconds since it was acknowledged.
using Changes = std::vector<std::vector<double>>;

struct Measured {
  Changes changes;
  std::vector<double> since_sent;
  double idle_kib = 0, cpu_us = 0;
};

// One change after another, each waited for by all.
Measured measure(const Server& server, const Program& from, int count, bool rules) {
  Measured out;
  server.apply(flag_manifest(0, false));
  const double before = from.resident_kib();
  Readers readers(server, from, rules, count);
  ::usleep(500'000);
  out.idle_kib = (from.resident_kib() - before) / count;
  const double cpu = from.cpu_s();
  for (int i = 1; i <= kChanges; ++i) {
    const bool open = i % 2 == 1;
    const double sent = bench::now_s(CLOCK_MONOTONIC);
    std::atomic<double> acknowledged = 0;
    std::thread writer([&] {
      server.apply(flag_manifest(0, open));
      acknowledged = bench::now_s(CLOCK_MONOTONIC);
    });
    const auto times = readers.wait_for(open, sent);
    writer.join();
    std::vector<double>& of_this = out.changes.emplace_back();
    for (const double time : times) {
      out.since_sent.push_back(time * 1e3);
      of_this.push_back(std::max(0.0, sent + time - acknowledged) * 1e3);
    }
    ::usleep(50'000);
  }
  out.cpu_us = (from.cpu_s() - cpu) * 1e6 / (double(count) * kChanges);
  return out;
}

std::vector<double> all_of(const Changes& changes) {
  std::vector<double> all;
  for (const auto& change : changes) all.insert(all.end(), change.begin(), change.end());
  return all;
}

void tell(const std::string& name, const Measured& measured, double asked_ms, bool many,
          std::vector<bench::Figure>* figures) {
  const auto add = [&](std::string_view what, std::string unit, double ours, double target = 0) {
    figures->push_back({fmt::format("{}_{}", name, what), std::move(unit), ours, target,
                        target > 0 ? "asked" : "", target > 0 ? ours / target : 0, 0});
  };
  const std::vector<double> all = all_of(measured.changes);
  std::vector<double> of_each;
  for (const auto& change : measured.changes) of_each.push_back(bench::quantile(change, 0.99));
  add("p50", "ms", bench::quantile(all, 0.5));
  add("p99", "ms", bench::quantile(all, 0.99), asked_ms);
  add("p99_of_the_median_change", "ms", bench::median(of_each), asked_ms);
  add("p99_since_sent", "ms", bench::quantile(measured.since_sent, 0.99));
  add("server_cpu", "us/event", measured.cpu_us);
  if (many) add("idle_stream", "KiB", measured.idle_kib, 20);
}

std::vector<bench::Figure> run(const std::string& program) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::string manifests;
  for (int i = 0; i < kFlags; ++i) manifests += (i > 0 ? "---\n" : "") + flag_manifest(i, false);
  std::vector<bench::Figure> figures;
  Changes few;
  for (const int count : {100, 10'000}) {
    for (const bool rules : {true, false}) {
      const Server server(program);  // A new one: memory that it has had before tells nothing.
      server.apply(manifests);
      const Measured measured = measure(server, server, count, rules);
      tell(fmt::format("propagation_{}_{}", rules ? "rules" : "values", count), measured,
           count > 100 ? 100 : 5, count > 100, &figures);
      if (count == 100 && rules) few = measured.changes;
    }
  }
  const Server server(program);
  server.apply(manifests);
  const Relay relay(program, server);
  const Measured below = measure(server, relay, 10'000, true);
  tell("propagation_relay_10000", below, 1'000, true, &figures);
  const bench::RelayTree tree{.relays = 50, .clients = 10'000, .seed = 7};
  const double p99 = bench::quantile(bench::simulate(tree, few, below.changes), 0.99);
  figures.push_back(
      {"propagation_tree_50x10000_p99_simulated", "ms", p99, 1'000, "asked", p99 / 1'000, 0});
  return figures;
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string program = std::filesystem::path(self).parent_path() / "showcaller";
  showcaller::bench::print_figures(argc, argv, showcaller::run(program));
}
