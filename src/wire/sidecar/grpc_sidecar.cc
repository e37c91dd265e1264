// SPDX-License-Identifier: Apache-2.0
#include "wire/sidecar/grpc_sidecar.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agones_sdk.grpc.pb.h"
#include "agones_sdk_alpha.grpc.pb.h"
#include "agones_sdk_beta.grpc.pb.h"
#include "wire/sidecar/grpc_convert.h"

namespace showcaller {
namespace {

using agones::SdkCall;
using agones::SidecarBackend;
using Context = grpc::CallbackServerContext;

// A watcher that reads slower than the game server changes misses steps between once so many wait.
constexpr std::size_t kWatchQueueMax = 64;

grpc::Status to_status(const agones::SdkError& error) {
  return {static_cast<grpc::StatusCode>(error.code), error.message};
}

// Answers a unary call: `fill_reply` takes what the backend answered.
template <class Reply, class FillReply>
grpc::ServerUnaryReactor* answer(Context* context, SidecarBackend& backend, const SdkCall& call,
                                 FillReply fill_reply) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const agones::SdkResult result = backend.call(call);
  if (!result) {
    reactor->Finish(to_status(result.error()));
    return reactor;
  }
  fill_reply(std::get<Reply>(*result));
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* answer_empty(Context* context, SidecarBackend& backend,
                                       const SdkCall& call) {
  return answer<agones::EmptyReply>(context, backend, call, [](const agones::EmptyReply&) {});
}

// A stream of pings, for as long as the game server keeps it open.
class HealthReader final : public grpc::ServerReadReactor<sdk::Empty> {
 public:
  explicit HealthReader(SidecarBackend& backend) : backend_(backend) { StartRead(&ping_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    (void)backend_.call(agones::HealthCall{});
    StartRead(&ping_);
  }
  void OnDone() override { delete this; }

 private:
  SidecarBackend& backend_;
  sdk::Empty ping_;
};

// Sends the game server now and after each change. gRPC allows one write at a time, and may call
// OnWriteDone within StartWrite: no lock is held over a call into gRPC.
class GameServerWriter final : public grpc::ServerWriteReactor<sdk::GameServer> {
 public:
  explicit GameServerWriter(SidecarBackend& backend) : backend_(backend) {}

  void begin() {
    watch_ = backend_.watch([this](const agones::GameServer& game_server) { push(game_server); });
    std::unique_lock lock(mutex_);
    watching_ = true;
    if (over_ && !writing_) close(std::move(lock));
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    queue_.pop_front();
    over_ = over_ || !ok;
    if (!over_ && !queue_.empty()) {
      lock.unlock();
      StartWrite(&queue_.front());
      return;
    }
    writing_ = false;
    if (over_ && watching_) close(std::move(lock));
  }
  void OnCancel() override {
    std::unique_lock lock(mutex_);
    over_ = true;
    // A write under way ends first, and closes; so does begin().
    if (watching_ && !writing_) close(std::move(lock));
  }
  void OnDone() override { delete this; }

 private:
  void push(const agones::GameServer& game_server) {
    sdk::GameServer message;
    fill(game_server, &message);
    {
      const std::lock_guard lock(mutex_);
      if (over_) return;
      if (queue_.size() >= kWatchQueueMax) queue_.pop_back();
      queue_.push_back(std::move(message));
      if (writing_) return;
      writing_ = true;
    }
    StartWrite(&queue_.front());
  }

  void close(std::unique_lock<std::mutex> lock) {
    if (closed_) return;
    closed_ = true;
    lock.unlock();
    backend_.unwatch(watch_);
    Finish(grpc::Status::CANCELLED);
  }

  SidecarBackend& backend_;
  std::uint64_t watch_ = 0;
  std::mutex mutex_;
  std::deque<sdk::GameServer> queue_;
  bool writing_ = false;
  bool watching_ = false;
  bool over_ = false;
  bool closed_ = false;
};

class StableService final : public sdk::SDK::CallbackService {
 public:
  explicit StableService(SidecarBackend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* Ready(Context* context, const sdk::Empty*, sdk::Empty*) override {
    return answer_empty(context, backend_, agones::ReadyCall{});
  }
  grpc::ServerUnaryReactor* Allocate(Context* context, const sdk::Empty*, sdk::Empty*) override {
    return answer_empty(context, backend_, agones::AllocateCall{});
  }
  grpc::ServerUnaryReactor* Shutdown(Context* context, const sdk::Empty*, sdk::Empty*) override {
    return answer_empty(context, backend_, agones::ShutdownCall{});
  }
  grpc::ServerReadReactor<sdk::Empty>* Health(Context*, sdk::Empty*) override {
    return new HealthReader(backend_);
  }
  grpc::ServerUnaryReactor* GetGameServer(Context* context, const sdk::Empty*,
                                          sdk::GameServer* reply) override {
    return answer<agones::GameServer>(context, backend_, agones::GetGameServerCall{},
                                      [&](const agones::GameServer& known) { fill(known, reply); });
  }
  grpc::ServerWriteReactor<sdk::GameServer>* WatchGameServer(Context*, const sdk::Empty*) override {
    auto* writer = new GameServerWriter(backend_);
    writer->begin();
    return writer;
  }
  grpc::ServerUnaryReactor* SetLabel(Context* context, const sdk::KeyValue* request,
                                     sdk::Empty*) override {
    return answer_empty(context, backend_, agones::SetLabelCall{request->key(), request->value()});
  }
  grpc::ServerUnaryReactor* SetAnnotation(Context* context, const sdk::KeyValue* request,
                                          sdk::Empty*) override {
    return answer_empty(context, backend_,
                        agones::SetAnnotationCall{request->key(), request->value()});
  }
  grpc::ServerUnaryReactor* Reserve(Context* context, const sdk::Duration* request,
                                    sdk::Empty*) override {
    return answer_empty(context, backend_, agones::ReserveCall{request->seconds()});
  }

 private:
  SidecarBackend& backend_;
};

class BetaService final : public sdk::beta::SDK::CallbackService {
 public:
  explicit BetaService(SidecarBackend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* GetCounter(Context* context,
                                       const sdk::beta::GetCounterRequest* request,
                                       sdk::beta::Counter* reply) override {
    return counter(context, agones::GetCounterCall{request->name()}, reply);
  }
  grpc::ServerUnaryReactor* UpdateCounter(Context* context,
                                          const sdk::beta::UpdateCounterRequest* request,
                                          sdk::beta::Counter* reply) override {
    const sdk::beta::CounterUpdateRequest& update = request->counterupdaterequest();
    agones::UpdateCounterCall call{.name = update.name(), .diff = update.countdiff()};
    if (update.has_count()) call.count = update.count().value();
    if (update.has_capacity()) call.capacity = update.capacity().value();
    return counter(context, call, reply);
  }
  grpc::ServerUnaryReactor* GetList(Context* context, const sdk::beta::GetListRequest* request,
                                    sdk::beta::List* reply) override {
    return list(context, agones::GetListCall{request->name()}, reply);
  }
  grpc::ServerUnaryReactor* UpdateList(Context* context,
                                       const sdk::beta::UpdateListRequest* request,
                                       sdk::beta::List* reply) override {
    agones::UpdateListCall call{.name = request->list().name(),
                                .capacity = request->list().capacity()};
    call.values.assign(request->list().values().begin(), request->list().values().end());
    call.mask.assign(request->update_mask().paths().begin(), request->update_mask().paths().end());
    return list(context, call, reply);
  }
  grpc::ServerUnaryReactor* AddListValue(Context* context,
                                         const sdk::beta::AddListValueRequest* request,
                                         sdk::beta::List* reply) override {
    return list(context, agones::AddListValueCall{request->name(), request->value()}, reply);
  }
  grpc::ServerUnaryReactor* RemoveListValue(Context* context,
                                            const sdk::beta::RemoveListValueRequest* request,
                                            sdk::beta::List* reply) override {
    return list(context, agones::RemoveListValueCall{request->name(), request->value()}, reply);
  }

 private:
  grpc::ServerUnaryReactor* counter(Context* context, const SdkCall& call,
                                    sdk::beta::Counter* reply) {
    return answer<agones::CounterReply>(
        context, backend_, call, [&](const agones::CounterReply& known) { fill(known, reply); });
  }
  grpc::ServerUnaryReactor* list(Context* context, const SdkCall& call, sdk::beta::List* reply) {
    return answer<agones::ListReply>(context, backend_, call,
                                     [&](const agones::ListReply& known) { fill(known, reply); });
  }

  SidecarBackend& backend_;
};

class AlphaService final : public sdk::alpha::SDK::CallbackService {
 public:
  explicit AlphaService(SidecarBackend& backend) : backend_(backend) {}

  grpc::ServerUnaryReactor* PlayerConnect(Context* context, const sdk::alpha::PlayerID* request,
                                          sdk::alpha::Bool* reply) override {
    return yes_or_no(context, agones::PlayerConnectCall{request->playerid()}, reply);
  }
  grpc::ServerUnaryReactor* PlayerDisconnect(Context* context, const sdk::alpha::PlayerID* request,
                                             sdk::alpha::Bool* reply) override {
    return yes_or_no(context, agones::PlayerDisconnectCall{request->playerid()}, reply);
  }
  grpc::ServerUnaryReactor* IsPlayerConnected(Context* context, const sdk::alpha::PlayerID* request,
                                              sdk::alpha::Bool* reply) override {
    return yes_or_no(context, agones::IsPlayerConnectedCall{request->playerid()}, reply);
  }
  grpc::ServerUnaryReactor* SetPlayerCapacity(Context* context, const sdk::alpha::Count* request,
                                              sdk::alpha::Empty*) override {
    return answer_empty(context, backend_, agones::SetPlayerCapacityCall{request->count()});
  }
  grpc::ServerUnaryReactor* GetPlayerCapacity(Context* context, const sdk::alpha::Empty*,
                                              sdk::alpha::Count* reply) override {
    return number(context, agones::GetPlayerCapacityCall{}, reply);
  }
  grpc::ServerUnaryReactor* GetPlayerCount(Context* context, const sdk::alpha::Empty*,
                                           sdk::alpha::Count* reply) override {
    return number(context, agones::GetPlayerCountCall{}, reply);
  }
  grpc::ServerUnaryReactor* GetConnectedPlayers(Context* context, const sdk::alpha::Empty*,
                                                sdk::alpha::PlayerIDList* reply) override {
    return answer<agones::PlayerIdsReply>(context, backend_, agones::GetConnectedPlayersCall{},
                                          [&](const agones::PlayerIdsReply& known) {
                                            reply->mutable_list()->Assign(known.ids.begin(),
                                                                          known.ids.end());
                                          });
  }

 private:
  grpc::ServerUnaryReactor* yes_or_no(Context* context, const SdkCall& call,
                                      sdk::alpha::Bool* reply) {
    return answer<agones::BoolReply>(context, backend_, call, [&](const agones::BoolReply& known) {
      reply->set_bool_(known.value);
    });
  }
  grpc::ServerUnaryReactor* number(Context* context, const SdkCall& call,
                                   sdk::alpha::Count* reply) {
    return answer<agones::CountReply>(
        context, backend_, call,
        [&](const agones::CountReply& known) { reply->set_count(known.count); });
  }

  SidecarBackend& backend_;
};

std::unexpected<Error> fail_socket(const char* what, std::uint16_t port) {
  return fail(ErrorCode::Unavailable, fmt::format("{} for the gRPC sidecar on port {}: {}", what,
                                                  port, std::strerror(errno)));
}

}  // namespace

struct GrpcSidecar::State {
  explicit State(SidecarBackend& backend) : stable(backend), beta(backend), alpha(backend) {}

  ~State() {
    if (acceptor.joinable()) {
      ::eventfd_write(stop_fd, 1);
      acceptor.join();
    }
    if (server) server->Shutdown(std::chrono::system_clock::now());
    if (listen_fd >= 0) ::close(listen_fd);
    if (stop_fd >= 0) ::close(stop_fd);
  }

  Status listen(const std::string& address, std::uint16_t wanted) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(wanted);
    if (::inet_pton(AF_INET, address == "localhost" ? "127.0.0.1" : address.c_str(),
                    &where.sin_addr) != 1) {
      return fail(ErrorCode::Invalid, fmt::format("'{}' is not an IPv4 address", address));
    }
    listen_fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    stop_fd = ::eventfd(0, EFD_CLOEXEC);
    if (listen_fd < 0 || stop_fd < 0) return fail_socket("socket", wanted);
    const int on = 1;
    ::setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    socklen_t size = sizeof where;
    if (::bind(listen_fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
      return fail_socket("bind", wanted);
    }
    if (::listen(listen_fd, 64) != 0) return fail_socket("listen", wanted);
    ::getsockname(listen_fd, reinterpret_cast<sockaddr*>(&where), &size);
    port = ntohs(where.sin_port);
    acceptor = std::thread([this] { accept_all(); });
    return {};
  }

  void accept_all() {
    while (true) {
      pollfd polled[2] = {{listen_fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
      if (::poll(polled, 2, -1) < 0 && errno != EINTR) return;
      if (polled[1].revents != 0) return;
      const int fd = ::accept4(listen_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) continue;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (!server) bring_up();
      grpc::AddInsecureChannelFromFd(server.get(), fd);
    }
  }

  void bring_up() {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(256 << 10);
    builder.RegisterService(&stable);
    builder.RegisterService(&beta);
    builder.RegisterService(&alpha);
    server = builder.BuildAndStart();
  }

  StableService stable;
  BetaService beta;
  AlphaService alpha;
  int listen_fd = -1;
  int stop_fd = -1;
  std::uint16_t port = 0;
  std::unique_ptr<grpc::Server> server;  // made by the acceptor
  std::thread acceptor;
};

GrpcSidecar::GrpcSidecar(std::unique_ptr<State> state) : state_(std::move(state)) {}
GrpcSidecar::~GrpcSidecar() = default;

std::uint16_t GrpcSidecar::port() const {
  return state_->port;
}

Result<std::unique_ptr<GrpcSidecar>> GrpcSidecar::start(SidecarBackend& backend,
                                                        const std::string& address,
                                                        std::uint16_t port) {
  auto state = std::make_unique<State>(backend);
  TRY(state->listen(address, port));
  return std::unique_ptr<GrpcSidecar>(new GrpcSidecar(std::move(state)));
}

}  // namespace showcaller
