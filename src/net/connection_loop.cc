// SPDX-License-Identifier: Apache-2.0
#include "net/connection_loop.h"

#include <array>
#include <chrono>
#include <thread>
#include <unordered_set>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/accept_loop.h"
#include "net/body_gate.h"
#include "net/http_parser.h"
#include "net/io_mailbox.h"
#include "net/response_writer.h"

namespace showcaller {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using IoExecutor = asio::io_context::executor_type;
template <class T>
using Awaitable = asio::awaitable<T, IoExecutor>;
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, IoExecutor>;
using Clock = std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable_t<IoExecutor>());
constexpr std::size_t kScratchBytes = 64 << 10;
constexpr std::size_t kFlushBytes = 64 << 10;  // larger bodies are written from where they are
constexpr std::size_t kTlsReadBytes = 16 << 10;
constexpr std::size_t kStreamReadBytes = 512;  // of a peer that has nothing more to say
constexpr auto kLingerTime = std::chrono::seconds(1);

class Connection;

// One thread's sockets and timers.
struct IoLoop {
  explicit IoLoop(ServerCore* core) : core(core), mailbox(std::make_shared<IoMailbox>(&context)) {}

  void start();
  void tick();
  void end_round_later();

  ServerCore* core;
  asio::io_context context{1};
  asio::executor_work_guard<IoExecutor> work{context.get_executor()};
  std::shared_ptr<IoMailbox> mailbox;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, IoExecutor> timer{context};
  Clock::time_point now = Clock::now();  // as of the last tick: deadlines need no better
  Clock::duration tick_every{};
  std::unordered_set<Connection*> connections;
  std::vector<char> scratch = std::vector<char>(kScratchBytes);
  bool stopped = false;
  bool round_ends = false;  // end_round_later() was called, and it has not ended
  ResponseWriter writer;
  std::thread thread;
};

enum class Waiting { Nothing, Idle, Header, Body, Write, Linger };

// What a responder holds of its connection: it may outlive both the connection and the server.
class Gate final : public ResponseChannel, public std::enable_shared_from_this<Gate> {
 public:
  enum class Signal { None, Given, Awaited };

  Gate(std::shared_ptr<IoMailbox> mailbox, Connection* connection)
      : connection(connection), mailbox_(std::move(mailbox)) {}

  void wake() override;
  void abort() override;

  std::atomic<Signal> signal{Signal::None};
  Connection* connection;  // null when it is gone; the loop's thread only

 private:
  std::shared_ptr<IoMailbox> mailbox_;
};

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(IoLoop* loop, Socket socket, std::string peer);

  static Awaitable<void> run(std::shared_ptr<Connection> self);

  void resume();
  void check_deadline(Clock::time_point now);
  void stop_gently();
  void close_now();

 private:
  Awaitable<void> serve();
  Awaitable<bool> read_request();
  Awaitable<bool> read_some();
  Awaitable<void> wait_signal();
  Awaitable<bool> answer();
  Awaitable<bool> answer_long(ResponseSlot& slot);
  Awaitable<bool> flush();
  Awaitable<bool> write_all(std::string_view bytes);
  Awaitable<bool> send_stream(std::shared_ptr<ResponseStream> stream, bool chunked);
  Awaitable<bool> send_pieces(ResponseStream& stream, std::vector<SharedBytes> pieces,
                              bool chunked);
  bool write_at_once(std::string_view piece, bool chunked);
  Awaitable<bool> send_piece(const std::string& piece, bool chunked);
  Awaitable<bool> send_pulled(ChunkSource source, bool chunked);
  Awaitable<bool> handshake();
  Awaitable<void> refuse(HttpResponse response);
  Awaitable<void> say_goodbye();
  static Awaitable<void> watch_for_end(std::shared_ptr<Connection> self);

  void dispatch();
  void append_head(HttpResponse* response, std::optional<std::size_t> length, bool chunked);
  void expect(Waiting what, Duration within);
  void expect_more(bool header_done);
  void expect_nothing() { waiting_ = Waiting::Nothing; }
  bool answered() const { return slot_->answered.load(std::memory_order_acquire); }
  void forget_parsed(std::size_t consumed);
  std::optional<ParseFailure> fault() const;
  std::optional<HttpResponse> refusal();

  IoLoop& loop_;
  ServerCore& core_;
  Socket socket_;
  std::optional<asio::ssl::context> tls_context_;
  std::optional<asio::ssl::stream<Socket&>> tls_;
  std::string tls_buffer_;
  HttpPeer peer_;
  HttpRequestParser parser_;
  BodyGate body_gate_;
  std::string in_;  // received; parsed up to in_at_
  std::size_t in_at_ = 0;
  std::string out_;  // to be sent
  std::shared_ptr<ResponseSlot> slot_;
  std::shared_ptr<ResponseStream> stream_;
  std::uint64_t served_ = 0;
  bool head_request_ = false;
  bool http_1_0_ = false;
  bool keep_alive_ = true;
  bool gone_ = false;
  bool timed_out_ = false;
  Waiting waiting_ = Waiting::Nothing;
  Clock::time_point deadline_{};
  bool bad_expectation_ = false;
  bool streamed_ = false;
  std::shared_ptr<Gate> gate_;
  std::move_only_function<void()> resume_;
};

void IoLoop::start() {
  const auto& limits = core->limits;
  const auto least = std::min(
      {limits.idle_timeout, limits.header_timeout, limits.body_timeout, limits.write_timeout});
  tick_every = std::clamp<Clock::duration>(least / 8, std::chrono::milliseconds(2),
                                           std::chrono::milliseconds(250));
  tick();
  thread = std::thread([this] { context.run(); });
}

void IoLoop::tick() {
  now = Clock::now();
  std::vector<std::shared_ptr<Connection>>
      all;  // A deadline may remove its connection from the set.
  all.reserve(connections.size());
  for (Connection* connection : connections) all.push_back(connection->shared_from_this());
  for (const auto& connection : all) connection->check_deadline(now);
  if (stopped) return;
  timer.expires_after(tick_every);
  timer.async_wait([this](error_code error) {
    if (!error) tick();
  });
}

// Whatever was ready together with what runs now comes before a handler that is posted now.
void IoLoop::end_round_later() {
  if (std::exchange(round_ends, true)) return;
  asio::post(context, [this] {
    round_ends = false;
    core->after_round();
  });
}

Connection::Connection(IoLoop* loop, Socket socket, std::string peer)
    : loop_(*loop),
      core_(*loop->core),
      socket_(std::move(socket)),
      peer_{.address = std::move(peer), .tls_subject = {}, .tls = loop->core->tls != nullptr},
      parser_(limits_of_parser(loop->core->limits)),
      body_gate_(loop->core),
      gate_(std::make_shared<Gate>(loop->mailbox, this)) {}

Awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  Connection& connection = *self;
  connection.loop_.connections.insert(self.get());
  if (!connection.core_.stopping) co_await connection.serve();
  connection.close_now();
  connection.slot_.reset();
  connection.gate_->connection = nullptr;
  connection.loop_.connections.erase(self.get());
  connection.core_.connection_gone();
}

Awaitable<void> Connection::serve() {
  error_code error;
  socket_.non_blocking(true, error);
  if (core_.tls) {
    const bool shaken = co_await handshake();
    if (!shaken) co_return;
  }
  while (keep_alive_) {
    const bool complete = co_await read_request();
    if (!complete) break;
    dispatch();
    if (!answered()) {
      const bool flushed = co_await flush();  // Answers to pipelined requests before this one.
      if (!flushed) co_return;
      while (!answered() && !gone_) co_await wait_signal();
    }
    if (gone_) co_return;
    const bool sent = co_await answer();
    if (!sent || streamed_) co_return;
    parser_.reset();
    body_gate_.reset();
  }
  if (gone_) co_return;
  if (auto response = refusal()) {
    co_await refuse(*std::move(response));
    co_return;
  }
  const bool flushed = co_await flush();
  if (flushed) co_await say_goodbye();
}

// What the peer did wrong, when that is why no request came.
std::optional<ParseFailure> Connection::fault() const {
  if (timed_out_) return ParseFailure{408, "the request took too long to arrive"};
  if (bad_expectation_) return ParseFailure{417, "the only expectation met here is 100-continue"};
  if (body_gate_.full())
    return ParseFailure{503, "too much is being sent at once; try again later"};
  if (!parser_.failure().reason.empty()) return parser_.failure();
  return std::nullopt;
}

// What the peer is told when no request came of what it sent.
std::optional<HttpResponse> Connection::refusal() {
  if (body_gate_.refusal()) return body_gate_.refusal();
  const auto failure = fault();
  if (!failure) return std::nullopt;
  HttpRequest& request = parser_.request();
  request.peer = peer_;
  auto response = core_.refusal(request, failure->status, failure->reason);
  if (body_gate_.full()) response.headers.set("Retry-After", "1");
  return response;
}

void Connection::forget_parsed(std::size_t consumed) {
  in_at_ += consumed;
  if (in_at_ == in_.size()) {
    in_at_ = 0;
    if (in_.capacity() > kTlsReadBytes) std::string().swap(in_);
    in_.clear();
  }
}

// True: parser_.request() is complete. False: nothing more will come, the time is up, or the peer
// is at fault.
Awaitable<bool> Connection::read_request() {
  bool header_done = false;
  while (true) {
    std::size_t consumed = 0;
    const auto progress = parser_.feed(std::string_view(in_).substr(in_at_), &consumed);
    forget_parsed(consumed);
    if (progress == ParseProgress::Done) break;
    if (progress == ParseProgress::Failed) co_return false;
    if (progress == ParseProgress::HeaderDone) {
      header_done = true;
      if (parser_.expects_continue()) {
        const auto expected = parser_.request().headers.get("Expect");
        bad_expectation_ = !equal_ignoring_case(expected, "100-continue");
        if (bad_expectation_) co_return false;
      }
      continue;
    }
    if (header_done && !body_gate_.may_send(&parser_, peer_, &out_)) co_return false;
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    if (core_.stopping && !parser_.started()) co_return false;
    expect_more(header_done);
    in_.erase(0, in_at_);
    in_at_ = 0;
    const bool more = co_await read_some();
    if (!more) co_return false;
  }
  expect_nothing();
  co_return true;
}

// Starts the clock of the phase that begins; leaves it alone within one.
void Connection::expect_more(bool header_done) {
  const auto& limits = core_.limits;
  if (header_done) {
    if (waiting_ != Waiting::Body) expect(Waiting::Body, limits.body_timeout);
  } else if (parser_.started()) {
    if (waiting_ != Waiting::Header) expect(Waiting::Header, limits.header_timeout);
  } else {
    expect(Waiting::Idle, limits.idle_timeout);
  }
}

// Appends to in_.
Awaitable<bool> Connection::read_some() {
  if (tls_) {
    tls_buffer_.resize(streamed_ ? kStreamReadBytes : kTlsReadBytes);
    const auto [error, size] = co_await tls_->async_read_some(asio::buffer(tls_buffer_), kAwait);
    if (error || gone_) co_return false;
    in_.append(tls_buffer_, 0, size);
    co_return true;
  }
  while (true) {
    const auto [waited] = co_await socket_.async_wait(Socket::wait_read, kAwait);
    if (waited || gone_) co_return false;
    error_code error;
    const auto size = socket_.read_some(asio::buffer(loop_.scratch), error);
    if (error == asio::error::would_block) continue;
    if (error) co_return false;
    in_.append(loop_.scratch.data(), size);
    co_return true;
  }
}

void Connection::dispatch() {
  ++served_;
  core_.requests.fetch_add(1, std::memory_order_relaxed);
  auto& request = parser_.request();
  head_request_ = request.method == "HEAD";
  http_1_0_ = parser_.http_1_0();
  keep_alive_ =
      parser_.keep_alive() && served_ < core_.limits.requests_per_connection && !core_.stopping;
  slot_ = std::make_shared<ResponseSlot>();
  slot_->channel = gate_;
  slot_->stream_buffer_bytes = core_.limits.stream_buffer_bytes;
  request.peer = peer_;
  Responder responder(slot_);
  loop_.end_round_later();
  try {
    core_.handler(std::move(request), std::move(responder));
  } catch (const std::exception&) {
    // The responder, destroyed on the way here, has answered 500.
  }
}

// False: the connection is over.
Awaitable<bool> Connection::answer() {
  const auto slot = std::move(slot_);
  HttpResponse& response = slot->response;
  if (equal_ignoring_case(response.headers.get("Connection"), "close") || core_.stopping)
    keep_alive_ = false;
  if (slot->stream || slot->source) co_return co_await answer_long(*slot);
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  append_head(&response, bodiless ? std::nullopt : std::optional(response.body.size()), false);
  const bool with_body = !head_request_ && !bodiless;
  const bool large = with_body && response.body.size() >= kFlushBytes;
  if (with_body && !large) out_ += response.body;
  bool sent = true;
  if (large || out_.size() >= kFlushBytes) sent = co_await flush();
  if (large && sent) sent = co_await write_all(response.body);
  co_return sent;
}

Awaitable<bool> Connection::answer_long(ResponseSlot& slot) {
  const bool endless = slot.stream != nullptr;
  const bool chunked = !http_1_0_ && slot.response.status != 101;
  if (endless || !chunked) keep_alive_ = false;
  append_head(&slot.response, std::nullopt, chunked);
  if (head_request_) {
    if (endless) slot.stream->peer_gone();
    co_return co_await flush();
  }
  append_chunk(&out_, slot.response.body, chunked);
  if (endless) co_return co_await send_stream(slot.stream, chunked);
  co_return co_await send_pulled(std::move(slot.source), chunked);
}

void Connection::append_head(HttpResponse* response, std::optional<std::size_t> length,
                             bool chunked) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  loop_.writer.append_head(&out_, response, {length, chunked, keep_alive_, http_1_0_},
                           std::chrono::duration_cast<std::chrono::seconds>(wall).count());
}

Awaitable<bool> Connection::send_pulled(ChunkSource source, bool chunked) {
  while (auto piece = source()) {
    append_chunk(&out_, *piece, chunked);
    if (out_.size() < kFlushBytes) continue;
    const bool sent = co_await flush();
    if (!sent) co_return false;
  }
  if (chunked) out_ += kLastChunk;
  co_return co_await flush();
}

Awaitable<bool> Connection::send_stream(std::shared_ptr<ResponseStream> stream, bool chunked) {
  stream_ = stream;
  streamed_ = true;
  if (core_.stopping) stream->close();
  asio::co_spawn(socket_.get_executor(), watch_for_end(shared_from_this()), asio::detached);
  bool sent = co_await flush();
  while (sent && !gone_) {
    std::vector<SharedBytes> pieces;
    if (!stream->take(&pieces)) break;
    if (pieces.empty()) {
      std::string().swap(out_);  // A stream is idle most of the time, and there are thousands.
      co_await wait_signal();
      continue;
    }
    sent = co_await send_pieces(*stream, std::move(pieces), chunked);
  }
  stream->peer_gone();
  stream_.reset();
  const bool dropped = stream->dropped();  // Its end must not look like the end of the response.
  if (dropped) core_.dropped.fetch_add(1, std::memory_order_relaxed);
  if (!sent || gone_ || dropped) co_return false;
  if (chunked) out_ += kLastChunk;
  co_return co_await flush();
}

Awaitable<bool> Connection::send_pieces(ResponseStream& stream, std::vector<SharedBytes> pieces,
                                        bool chunked) {
  if (pieces.size() == 1 && write_at_once(*pieces[0], chunked)) {
    const bool sent = co_await flush();
    if (sent) stream.written(pieces[0]->size());
    co_return sent;
  }
  std::size_t gathered = 0;
  for (const auto& piece : pieces) {
    const bool sent = co_await send_piece(*piece, chunked);
    if (!sent) co_return false;
    gathered += piece->size();
    if (out_.empty()) stream.written(std::exchange(gathered, 0));
  }
  const bool sent = co_await flush();
  if (sent && gathered > 0) stream.written(gathered);
  co_return sent;
}

// What a stream tells is one small piece most of the time: that is written without being copied.
// False: it is to be written otherwise. What could not be written yet waits in out_.
bool Connection::write_at_once(std::string_view piece, bool chunked) {
  if (tls_ || !out_.empty()) return false;
  const FramedPiece framed(piece, chunked);
  error_code error;
  const std::size_t sent =
      socket_.write_some(std::array{asio::buffer(framed.head()), asio::buffer(framed.piece()),
                                    asio::buffer(framed.end())},
                         error);
  if (error && error != asio::error::would_block) return false;  // The next write meets it again.
  framed.append_rest(sent, &out_);
  return true;
}

// Small pieces are gathered, large ones written from where they are: others may be sent them too.
Awaitable<bool> Connection::send_piece(const std::string& piece, bool chunked) {
  const bool large = piece.size() >= kFlushBytes;
  if (!large) append_chunk(&out_, piece, chunked);
  if (!large && out_.size() < kFlushBytes) co_return true;
  if (large && chunked) append_chunk_head(&out_, piece.size());
  bool sent = co_await flush();
  if (large && sent) sent = co_await write_all(piece);
  if (large && sent && chunked) sent = co_await write_all(kChunkEnd);
  co_return sent;
}

// The peer of an upgraded connection is heard. Any other has nothing to say but that it hangs up.
Awaitable<void> Connection::watch_for_end(std::shared_ptr<Connection> self) {
  for (bool more = true; more && !self->gone_ && self->stream_;) {
    self->stream_->received(std::string_view(self->in_).substr(std::exchange(self->in_at_, 0)));
    std::string().swap(self->in_);
    more = co_await self->read_some();
  }
  if (self->stream_) self->close_now();
}

Awaitable<bool> Connection::flush() {
  if (out_.empty()) co_return !gone_;
  const bool sent = co_await write_all(out_);
  out_.clear();
  if (out_.capacity() > kFlushBytes * 2) out_.shrink_to_fit();
  co_return sent;
}

Awaitable<bool> Connection::write_all(std::string_view bytes) {
  while (!bytes.empty() && !gone_) {
    error_code error;
    std::size_t size = 0;
    if (tls_) {
      expect(Waiting::Write, core_.limits.write_timeout);
      const auto [failure, written] = co_await tls_->async_write_some(asio::buffer(bytes), kAwait);
      error = failure;
      size = written;
    } else {
      size = socket_.write_some(asio::buffer(bytes), error);
      if (error == asio::error::would_block) {
        expect(Waiting::Write, core_.limits.write_timeout);
        const auto [failure] = co_await socket_.async_wait(Socket::wait_write, kAwait);
        if (failure) co_return false;
        continue;
      }
    }
    if (error) co_return false;
    bytes.remove_prefix(size);
  }
  expect_nothing();
  co_return !gone_;
}

Awaitable<bool> Connection::handshake() {
  SSL_CTX_up_ref(core_.tls.get());
  tls_context_.emplace(core_.tls.get());
  tls_.emplace(socket_, *tls_context_);
  expect(Waiting::Header, core_.limits.header_timeout);
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kAwait);
  if (error || gone_ || timed_out_) co_return false;
  expect_nothing();
  peer_.tls_subject = tls_peer_subject(tls_->native_handle());
  co_return true;
}

// Answers what is not a request, then waits for the peer to stop sending: closing on unread bytes
// would make the kernel reset the connection and take the answer with it.
Awaitable<void> Connection::refuse(HttpResponse response) {
  parser_.reset();  // What was sent in vain takes no room while the peer reads why.
  body_gate_.reset();
  keep_alive_ = false;
  timed_out_ = false;
  append_head(&response, response.body.size(), false);
  out_ += response.body;
  const bool flushed = co_await flush();
  if (flushed) co_await say_goodbye();
}

Awaitable<void> Connection::say_goodbye() {
  waiting_ = Waiting::Linger;
  deadline_ = Clock::now() + kLingerTime;
  if (tls_) {
    co_await tls_->async_shutdown(kAwait);
    co_return;
  }
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  bool more = true;
  while (more && !gone_) {
    more = co_await read_some();
    in_.clear();
  }
}

// Returns after a wake() that came since the last return.
Awaitable<void> Connection::wait_signal() {
  if (gate_->signal.exchange(Gate::Signal::None) == Gate::Signal::Given) co_return;
  auto initiate = [this](auto handler) {
    resume_ = [handler = std::move(handler)]() mutable { std::move(handler)(); };
    auto none = Gate::Signal::None;
    if (!gate_->signal.compare_exchange_strong(none, Gate::Signal::Awaited)) {
      asio::post(socket_.get_executor(), [self = shared_from_this()] { self->resume(); });
    }
  };
  constexpr asio::use_awaitable_t<IoExecutor> token;
  co_await asio::async_initiate<const asio::use_awaitable_t<IoExecutor>, void()>(initiate, token);
  gate_->signal.exchange(Gate::Signal::None);
}

void Connection::resume() {
  if (auto handler = std::exchange(resume_, nullptr)) handler();
}

void Gate::wake() {
  if (signal.exchange(Signal::Given) != Signal::Awaited) return;
  mailbox_->post([self = shared_from_this()] {
    if (self->connection != nullptr) self->connection->resume();
  });
}

void Gate::abort() {
  mailbox_->post([self = shared_from_this()] {
    if (self->connection != nullptr) self->connection->close_now();
  });
}

void Connection::expect(Waiting what, Duration within) {
  waiting_ = what;
  deadline_ = loop_.now + within;
}

void Connection::check_deadline(Clock::time_point now) {
  if (waiting_ == Waiting::Nothing || now < deadline_) return;
  const auto what = std::exchange(waiting_, Waiting::Nothing);
  if (what != Waiting::Idle && what != Waiting::Linger)
    core_.timed_out.fetch_add(1, std::memory_order_relaxed);
  if ((what == Waiting::Header || what == Waiting::Body) &&
      !(tls_ && parser_.request().method.empty())) {
    timed_out_ = true;  // The reader finds its wait cancelled and answers 408.
    error_code error;
    socket_.cancel(error);
    return;
  }
  close_now();
}

void Connection::stop_gently() {
  if (stream_) stream_->close();
  if (waiting_ == Waiting::Idle) close_now();
}

void Connection::close_now() {
  if (gone_) return;
  gone_ = true;
  error_code error;
  socket_.close(error);
  gate_->wake();
}

void serve_socket(IoLoop& loop, int descriptor, std::string peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  Socket socket(loop.context);
  error_code error;
  socket.assign(asio::generic::stream_protocol(address.ss_family, 0), descriptor, error);
  if (error) {
    ::close(descriptor);
    return loop.core->connection_gone();
  }
  auto connection = std::make_shared<Connection>(&loop, std::move(socket), std::move(peer));
  asio::co_spawn(loop.context.get_executor(), Connection::run(std::move(connection)),
                 asio::detached);
}

}  // namespace

struct ConnectionLoop::State : IoLoop {
  using IoLoop::IoLoop;

  // On the loop's thread, for each of its connections; one may leave the set meanwhile.
  void each_connection(void (Connection::*act)()) {
    mailbox->post([this, act] {
      std::vector<std::shared_ptr<Connection>> all;
      for (Connection* connection : connections) all.push_back(connection->shared_from_this());
      for (const auto& connection : all) (connection.get()->*act)();
    });
  }

  std::optional<AcceptLoop> accepting;
};

ConnectionLoop::ConnectionLoop(ServerCore* core) : state_(std::make_unique<State>(core)) {}
ConnectionLoop::~ConnectionLoop() = default;

void ConnectionLoop::start() {
  state_->start();
}

void ConnectionLoop::listen(int descriptor, SocketSink sink) {
  state_->accepting.emplace(&state_->context, descriptor, std::move(sink));
}

void ConnectionLoop::stop_listening() {
  state_->mailbox->post([state = state_.get()] {
    if (state->accepting) state->accepting->close();
  });
}

void ConnectionLoop::adopt(int descriptor, std::string peer) {
  state_->mailbox->post([state = state_.get(), descriptor, peer = std::move(peer)]() mutable {
    serve_socket(*state, descriptor, std::move(peer));
  });
}

void ConnectionLoop::stop_gently() {
  state_->each_connection(&Connection::stop_gently);
}
void ConnectionLoop::close_all() {
  state_->each_connection(&Connection::close_now);
}

void ConnectionLoop::join() {
  state_->mailbox->post([state = state_.get()] {
    state->stopped = true;
    state->timer.cancel();
    state->work.reset();
  });
  if (state_->thread.joinable()) state_->thread.join();
  state_->mailbox->close();
}

}  // namespace showcaller
