// SPDX-License-Identifier: Apache-2.0
// Acknowledged commands over HTTP, by the real server on SQLite with full durability, against a
// bare SQLite loop that commits the same chained rows at the same batch size. The server is a
// process of its own; clients are as lean as clients can be, for they share its two cores.
#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <span>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bare_log.h"
#include "bench/figure.h"

namespace showcaller {
namespace {

constexpr int kWriters = 64;
constexpr int kEvents = 512;
constexpr int kBatchWriters = 8;
constexpr int kBatch = 1'000;

// A request at a time on a connection that stays.
class Connection {
 public:
  explicit Connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Connection(Connection&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Connection() {
    if (fd_ >= 0) ::close(fd_);
  }

  void send(const std::string& request) const {
    CHECK(::write(fd_, request.data(), request.size()) == ssize_t(request.size()));
  }
  // Waits for bytes. Whether the whole answer has come; a status other than 200 ends the run.
  bool receive() {
    if (whole_) answer_.clear();
    whole_ = false;
    char buffer[65'536];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    CHECK(got > 0);
    answer_.append(buffer, std::size_t(got));
    const std::size_t head = answer_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    if (!answer_.starts_with("HTTP/1.1 200")) {
      fmt::print(stderr, "{}\n", answer_);
      std::abort();
    }
    std::size_t length = answer_.find("ontent-Length: ");
    CHECK(length < head);
    if (answer_.size() < head + 4 + std::stoul(answer_.substr(length + 15))) return false;
    return whole_ = true;
  }
  int fd() const { return fd_; }
  const std::string& answer() const { return answer_; }

 private:
  int fd_;
  std::string answer_;
  bool whole_ = false;
};

class Server {
 public:
  explicit Server(const std::string& program) : data_(scratch_.file("data")) {
    const std::string port_file = scratch_.file("url");
    pid_ = ::fork();
    CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execl(program.c_str(), program.c_str(), "serve", "--data", data_.c_str(), "--port", "0",
              "--port-file", port_file.c_str(), "--log-level", "error", nullptr);
      ::_exit(127);
    }
    std::string url;
    for (int i = 0; i < 1'000 && url.empty(); ++i) {
      std::ifstream(port_file) >> url;
      if (url.empty()) ::usleep(10'000);
    }
    CHECK(!url.empty());
    port_ = std::stoi(url.substr(url.rfind(':') + 1));
    std::ifstream(data_ + "/admin.token") >> token_;
  }
  ~Server() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }

  std::string post(const std::string& path, const std::string& key, const std::string& body) const {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\nContent-Type: "
        "application/json\r\n"
        "{}Content-Length: {}\r\n\r\n{}",
        path, token_, key.empty() ? "" : fmt::format("Idempotency-Key: {}\r\n", key), body.size(),
        body);
  }
  // Processor seconds so far.
  double cpu_s() const {
    std::ifstream file(fmt::format("/proc/{}/stat", pid_));
    std::string text((std::istreambuf_iterator<char>(file)), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skip;
    for (int i = 0; i < 11; ++i) fields >> skip;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / double(::sysconf(_SC_CLK_TCK));
  }
  // Batches made durable so far, as /metrics tells it.
  double commits() const {
    Connection connection(port_);
    connection.send(fmt::format(
        "GET /metrics HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n", token_));
    while (!connection.receive()) continue;
    const std::string_view name = "\nshowcaller_journal_commits_total ";
    const std::size_t at = connection.answer().find(name);
    CHECK(at != std::string::npos);
    return std::stod(connection.answer().substr(at + name.size()));
  }
  double resident_mib() const {
    std::ifstream file(fmt::format("/proc/{}/statm", pid_));
    double total = 0, resident = 0;
    file >> total >> resident;
    return resident * double(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  }
  int port() const { return port_; }
  std::string journal() const { return data_ + "/journal.db"; }

 private:
  bench::Scratch scratch_;
  std::string data_, token_;
  pid_t pid_ = 0;
  int port_ = 0;
};

// Holds and resumes of some events of their own, each with a key of its own.
class Commands {
 public:
  Commands(std::uint64_t first, std::uint64_t count) : first_(first), count_(count) {}
  struct Command {
    std::string event, verb, key;
  };
  Command next() {
    const std::uint64_t serial = serial_;
    return {fmt::format("event-{:03}", first_ + serial % count_),
            serial / count_ % 2 ? "resume" : "hold", next_key()};
  }
  std::string next_key() {
    const std::uint64_t serial = serial_++ + first_ * 1'000'000'000;
    return fmt::format("key-{:016x}", serial * 0x9e3779b97f4a7c15ULL);
  }
  std::uint64_t round() const { return 2 * count_; }  // then they begin anew, with other keys

 private:
  std::uint64_t first_, count_, serial_ = 0;
};

// The same, each as a request of its own. The texts are made before anything is measured: only the
// key is new each time.
class Requests {
 public:
  Requests(const Server& server, Commands commands) : commands_(commands) {
    for (std::uint64_t i = 0; i < commands_.round(); ++i) {
      const auto command = commands.next();
      texts_.push_back(server.post(fmt::format("/api/v1/events/{}/{}", command.event, command.verb),
                                   command.key, "{}"));
      key_at_.push_back(texts_.back().find(command.key));
    }
  }
  const std::string& next() {
    const std::size_t i = at_++ % texts_.size();
    return texts_[i].replace(key_at_[i], kKeyBytes, commands_.next_key());
  }

 private:
  static constexpr std::size_t kKeyBytes = 20;
  Commands commands_;
  std::vector<std::string> texts_;  // of one round
  std::vector<std::size_t> key_at_;
  std::size_t at_ = 0;
};

void apply_events(const Server& server) {
  std::string text =
      "apiVersion: showcaller.dev/v1\nkind: Team\nmetadata: { name: live-ops, owner: live-ops }\n"
      "spec: { members: [on-call] }\n";
  for (int e = 0; e < kEvents; ++e) {
    text += fmt::format(
        "---\napiVersion: showcaller.dev/v1\nkind: LiveEvent\n"
        "metadata: {{ name: event-{:03}, owner: live-ops }}\nspec:\n"
        "  changes:\n    - config: {{ document: rules-{}, version: 2, value: {{ gravity: 0.9 }} "
        "}}\n"
        "  schedule: {{ start: 2037-01-01T10:00:00Z }}\n"
        "  rollout: {{ unit: party, stages: [ {{ name: all, exposure: 100%, bake: 10m, gated: "
        "false }} ] }}\n",
        e, e);
  }
  Connection connection(server.port());
  connection.send(server.post("/api/v1/manifests", "", text));
  while (!connection.receive()) continue;
}

// `count` commands by so many writers, each of which waits for its answer.
std::uint64_t write_apart(std::vector<Connection>* writers, Requests* requests,
                          std::uint64_t count) {
  std::vector<pollfd> waiting;
  for (const Connection& writer : *writers) {
    waiting.push_back({writer.fd(), POLLIN, 0});
    writer.send(requests->next());
  }
  std::uint64_t sent = writers->size(), answered = 0;
  while (answered < sent) {
    CHECK(::poll(waiting.data(), waiting.size(), 10'000) > 0);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0 || !(*writers)[i].receive()) continue;
      ++answered;
      if (sent >= count) continue;
      (*writers)[i].send(requests->next());
      ++sent;
    }
  }
  return answered;
}

// A batch in flight on each connection, each with events of its own; the next is ready before the
// answer is there.
std::uint64_t write_batches(const Server& server, std::span<Connection> writers,
                            std::span<Commands> commands, int rounds) {
  std::vector<int> left(writers.size(), rounds);
  std::vector<std::string> ready(writers.size());
  std::vector<pollfd> waiting;
  const auto make_ready = [&](std::size_t w) {
    std::string body = "{\"commands\":[";
    for (int i = 0; i < kBatch; ++i) {
      const auto command = commands[w].next();
      fmt::format_to(std::back_inserter(body), R"({}{{"do":"{}","event":"{}","key":"{}"}})",
                     i ? "," : "", command.verb, command.event, command.key);
    }
    ready[w] = server.post("/api/v1/batch", "", body + "]}");
  };
  const auto send = [&](std::size_t w) {
    writers[w].send(ready[w]);
    if (--left[w] > 0) make_ready(w);
  };
  for (std::size_t w = 0; w < writers.size(); ++w) make_ready(w);
  for (std::size_t w = 0; w < writers.size(); ++w) {
    waiting.push_back({writers[w].fd(), POLLIN, 0});
    send(w);
  }
  for (std::size_t open = writers.size(); open > 0;) {
    CHECK(::poll(waiting.data(), waiting.size(), 10'000) > 0);
    for (std::size_t w = 0; w < writers.size(); ++w) {
      if (waiting[w].revents == 0 || !writers[w].receive()) continue;
      if (left[w] > 0) {
        send(w);
      } else {
        waiting[w].fd = -1;
        --open;
      }
    }
  }
  return std::uint64_t(rounds) * kBatch * writers.size();
}

// Rows as the server wrote them, for the bare loops.
class Rows {
 public:
  explicit Rows(const std::string& journal) {
    bench::BareLog log(journal);
    log.verify([this](std::string_view bytes) {
      if (bytes.find("\"hold_set\"") != bytes.npos) rows_.emplace_back(bytes);
    });
    CHECK(!rows_.empty());
  }
  std::vector<StoredRecord> take(std::size_t count) {
    std::vector<StoredRecord> batch(count);
    for (StoredRecord& record : batch) {
      record.kind = 14;
      record.time_ms = 1'800'000'000'000 + std::int64_t(at_);
      record.bytes = rows_[at_++ % rows_.size()];
    }
    return batch;
  }

 private:
  std::vector<std::string> rows_;
  std::size_t at_ = 0;
};

std::uint64_t write_bare(bench::BareLog* log, Rows* rows, std::size_t batch, int batches) {
  for (int i = 0; i < batches; ++i) log->commit(rows->take(batch));
  return batch * std::uint64_t(batches);
}

double p50_us(int times, const std::function<void()>& work) {
  std::vector<double> us;
  for (int i = 0; i < times; ++i) {
    const double start = bench::now_s(CLOCK_MONOTONIC);
    work();
    us.push_back((bench::now_s(CLOCK_MONOTONIC) - start) * 1e6);
  }
  return bench::median(us);
}

// A core that has nothing to do is halted, and waking it takes the machine some 50 us, twice in a
// command that comes alone. Threads that run only when nothing else wants to keep the cores awake:
// what is left is the server's own.
class AwakeCores {
 public:
  explicit AwakeCores(bool awake) {
    const unsigned cores = awake ? std::thread::hardware_concurrency() : 0;
    for (unsigned i = 0; i < cores; ++i) {
      threads_.emplace_back([](std::stop_token stop) {
        const sched_param none{};
        CHECK(::pthread_setschedparam(::pthread_self(), SCHED_IDLE, &none) == 0);
        while (!stop.stop_requested()) continue;
      });
    }
  }

 private:
  std::vector<std::jthread> threads_;
};

bench::Figure one_writer(const Server& server, bench::BareLog* bare, Rows* rows, Requests* requests,
                         bool awake) {
  const AwakeCores cores(awake);
  Connection writer(server.port());
  std::vector<double> ours, reference, ratios;
  for (int round = -1; round < 9; ++round) {
    const double a = p50_us(300, [&] {
      writer.send(requests->next());
      while (!writer.receive()) continue;
    });
    const double b = p50_us(300, [&] { bare->commit(rows->take(1)); });
    if (round < 0) continue;
    ours.push_back(a);
    reference.push_back(b);
    ratios.push_back(a / b);
  }
  return {awake ? "http_command_1_writer_p50_cores_awake" : "http_command_1_writer_p50",
          "us",
          bench::median(ours),
          bench::median(reference),
          "bare SQLite, a row a transaction, p50",
          bench::median(ratios),
          bench::spread_of(ratios)};
}

std::vector<bench::Figure> run(const std::string& program) {
  std::vector<bench::Figure> figures;
  const Server server(program);
  ::usleep(1'000'000);
  figures.push_back({"idle_server_resident", "MiB", server.resident_mib(), 60, "the budget",
                     server.resident_mib() / 60});
  apply_events(server);
  Requests requests(server, Commands(0, 256));
  std::vector<Connection> writers;
  for (int i = 0; i < kWriters; ++i) writers.emplace_back(server.port());
  write_apart(&writers, &requests, 2'000);
  Rows rows(server.journal());
  bench::Scratch scratch;
  bench::BareLog bare(scratch.file("bare.db"));

  std::vector<Commands> batches;
  for (int w = 0; w < kBatchWriters; ++w) batches.emplace_back(256 + 64 * w, 64);

  const double cpu_before = server.cpu_s();
  std::uint64_t commands_sent = 0;
  const double commits_before = server.commits();
  const auto apart = [&] {
    return commands_sent += 6'400, write_apart(&writers, &requests, 6'400);
  };
  apart();
  // The loop commits as many rows at once as the server does: those that were there when the disk
  // was free.
  const auto batch =
      std::size_t(std::lround(double(commands_sent) / (server.commits() - commits_before)));
  figures.push_back({"http_commands_64_writers_batch", "rows/commit", double(batch),
                     double(kWriters), "the writers", double(batch) / kWriters});
  figures.push_back(bench::compare(
      "http_commands_64_writers", "command/s", apart,
      [&] { return write_bare(&bare, &rows, batch, 6'400 / int(batch)); },
      "bare SQLite, the same batch size", 9, bench::Clock::Wall));
  figures.push_back(bench::compare(
      "http_commands_64_writers_to_batches_of_64", "command/s", apart,
      [&] { return write_bare(&bare, &rows, kWriters, 100); }, "bare SQLite, batches of 64", 9,
      bench::Clock::Wall));
  figures.push_back({"http_commands_64_writers_cpu",
                     "us/command",
                     (server.cpu_s() - cpu_before) * 1e6 / double(commands_sent),
                     0,
                     {},
                     0});
  figures.push_back(bench::compare(
      "http_commands_64_writers_to_single_rows", "command/s", apart,
      [&] { return write_bare(&bare, &rows, 1, 1'000); }, "bare SQLite, a row a transaction", 5,
      bench::Clock::Wall));
  figures.push_back(bench::compare(
      "http_commands_batch_of_1000", "command/s",
      [&] { return write_batches(server, std::span(writers).first(kBatchWriters), batches, 5); },
      [&] { return write_bare(&bare, &rows, kBatch, 10); }, "bare SQLite, batches of 1,000", 9,
      bench::Clock::Wall));
  for (const bool awake : {false, true})
    figures.push_back(one_writer(server, &bare, &rows, &requests, awake));
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
