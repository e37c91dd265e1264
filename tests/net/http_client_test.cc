// SPDX-License-Identifier: Apache-2.0
// The client against the server: TCP, Unix sockets, TLS with and without client certificates, and
// what goes wrong.
#include "net/http_client.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "tests/net/raw_socket.h"

namespace showcaller {
namespace {

void tell(HttpRequest&& request, Responder responder) {
  std::string text = request.method + " " + request.target + " " + request.body + " from " +
                     request.peer.tls_subject;
  if (const auto name = request.headers.find("X-Name")) text += " name " + std::string(*name);
  if (request.path == "/close") {
    return responder.send({.status = 200, .headers = {{"Connection", "close"}}, .body = text});
  }
  responder.send(text_response(request.path == "/missing" ? 404 : 200, text));
}

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "showcaller-net-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// A certificate authority in a folder, by the openssl program.
class Authority {
 public:
  explicit Authority(std::string name) : name_(std::move(name)) {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
        name_ + " -keyout " + key() + " -out " + certificate());
  }
  std::string certificate() const { return folder_ / (name_ + ".pem"); }

  struct Identity {
    std::string certificate, key;
  };
  Identity issue(const std::string& name, const std::string& alternative) {
    Identity made{folder_ / (name + ".pem"), folder_ / (name + ".key")};
    const std::string request = folder_ / (name + ".csr");
    const std::string extensions = folder_ / (name + ".ext");
    std::ofstream(extensions) << "subjectAltName=" << alternative << "\n";
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
        " -keyout " + made.key + " -out " + request);
    run("openssl x509 -req -days 2 -CAcreateserial -CA " + certificate() + " -CAkey " + key() +
        " -in " + request + " -extfile " + extensions + " -out " + made.certificate);
    return made;
  }

 private:
  std::string key() const { return folder_ / (name_ + ".key"); }
  static void run(const std::string& command) {
    ASSERT_EQ(std::system((command + " 2>/dev/null").c_str()), 0) << command;
  }

  Folder folder_;
  std::string name_;
};

std::unique_ptr<HttpServer> serve_tell(HttpServerOptions options = {}) {
  auto server = HttpServer::start(std::move(options), tell);
  EXPECT_TRUE(server) << (server ? "" : server.error().message);
  return server ? *std::move(server) : nullptr;
}

TEST(HttpClient, KeepsItsConnection) {
  const auto server = serve_tell();
  HttpClient client({.base_url = server->url(), .headers = {{"X-Name", "n"}}});
  for (int i = 0; i < 5; ++i) {
    const auto response = client.post("/p?q=1", "body");
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "POST /p?q=1 body from  name n");
  }
  EXPECT_EQ(client.get("/missing")->status, 404);
  EXPECT_EQ(client.send({.method = "HEAD", .target = "/"})->body, "");
  EXPECT_EQ(server->stats().accepted, 1u);
  EXPECT_TRUE(client.get("/close"));
  EXPECT_TRUE(client.get("/again"));
  EXPECT_EQ(server->stats().accepted, 2u);
}

TEST(HttpClient, ComesBackAfterTheServerRestarted) {
  auto server = serve_tell();
  const auto port = server->port();
  HttpClient client({.base_url = server->url()});
  EXPECT_TRUE(client.get("/"));
  server.reset();
  const auto refused = client.get("/");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
  server = serve_tell({.port = port});
  EXPECT_TRUE(client.post("/", "x"));
}

TEST(HttpClient, SpeaksOverAUnixSocket) {
  Folder folder;
  const auto server = serve_tell({.unix_path = folder / "s"});
  HttpClient client({.base_url = "unix:" + (folder / "s")});
  EXPECT_EQ(client.get("/u")->body, "GET /u  from ");
  const auto mode = std::filesystem::status(folder / "s").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(HttpServer::start({.unix_path = folder / "s"}, tell));
}

TEST(HttpClient, TakesOverTheSocketOfADeadServer) {
  Folder folder;
  const std::string path = folder / "s";
  {
    const auto server = serve_tell({.unix_path = path});
    std::filesystem::create_hard_link(path, path + ".left");
  }
  std::filesystem::rename(path + ".left", path);
  const auto server = serve_tell({.unix_path = path});
  EXPECT_TRUE(HttpClient({.base_url = "unix:" + path}).get("/"));
}

TEST(HttpClient, LimitsTheAnswer) {
  const auto server = serve_tell();
  HttpClient client({.base_url = server->url(), .body_bytes_max = 10});
  const auto response = client.get("/a-target-longer-than-ten");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::Limit);
}

TEST(HttpClient, SaysWhatIsWrongWithAnAnswer) {
  for (const std::string_view answer :
       {"", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"}) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 4), 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    std::thread peer([&] {
      const int fd = ::accept(listener, nullptr, nullptr);
      char buffer[1024];
      (void)!::recv(fd, buffer, sizeof buffer, 0);
      (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(fd);
    });
    HttpClient client({.base_url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port))});
    EXPECT_FALSE(client.get("/")) << answer;
    peer.join();
    ::close(listener);
  }
}

TEST(HttpClient, RefusesABadUrlAtTheFirstCall) {
  const auto response = HttpClient({.base_url = "nonsense"}).get("/");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::Invalid);
}

TEST(HttpTls, SpeaksTlsAndChecksTheServersName) {
  Authority authority("ca");
  const auto identity = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  const auto server =
      serve_tell({.tls = TlsServerOptions{identity.certificate, identity.key, "", false}});
  const std::string by_name = "https://localhost:" + std::to_string(server->port());
  for (const auto& url : {server->url(), by_name}) {
    HttpClient client({.base_url = url, .tls = {.ca_file = authority.certificate()}});
    const auto response = client.post("/t", std::string(200'000, 'x'));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body.size(), 200'000 + std::string("POST /t  from ").size());
    EXPECT_TRUE(client.get("/kept"));
  }
  HttpClient other_name({.base_url = server->url(),
                         .tls = {.ca_file = authority.certificate(), .server_name = "other"}});
  EXPECT_FALSE(other_name.get("/"));
  Authority stranger("stranger");
  EXPECT_FALSE(
      HttpClient({.base_url = server->url(), .tls = {.ca_file = stranger.certificate()}}).get("/"));
}

TEST(HttpTls, AsksForClientCertificates) {
  Authority authority("ca");
  Authority stranger("stranger");
  const auto identity = authority.issue("server", "IP:127.0.0.1");
  const auto friendly = authority.issue("relay-1", "URI:spiffe://game/relay-1");
  const auto plain = authority.issue("relay-2", "DNS:relay-2");
  const auto foreign = stranger.issue("relay-1", "URI:spiffe://game/relay-1");
  const auto server = serve_tell({.tls = TlsServerOptions{identity.certificate, identity.key,
                                                          authority.certificate(), false}});
  const auto ask = [&](const Authority::Identity& who) {
    HttpClient client({.base_url = server->url(),
                       .tls = {.ca_file = authority.certificate(),
                               .certificate_file = who.certificate,
                               .key_file = who.key}});
    const auto response = client.get("/");
    return response ? response->body : std::string("refused");
  };
  EXPECT_EQ(ask(friendly), "GET /  from spiffe://game/relay-1");
  EXPECT_EQ(ask(plain), "GET /  from relay-2");
  EXPECT_EQ(ask(foreign), "refused");
  EXPECT_EQ(ask({}), "refused");
}

TEST(HttpTls, NamesTheFileThatIsWrong) {
  const auto server =
      HttpServer::start({.tls = TlsServerOptions{"/nowhere.pem", "/nowhere.key", "", false}}, tell);
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().message.find("/nowhere.pem"), std::string::npos);
}

TEST(HttpTls, APlainRequestToATlsPortIsJustClosed) {
  Authority authority("ca");
  const auto identity = authority.issue("server", "IP:127.0.0.1");
  const auto server =
      serve_tell({.tls = TlsServerOptions{identity.certificate, identity.key, "", false}});
  RawSocket socket(server->port());
  socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto text = socket.read_all();
  EXPECT_EQ(text.find("HTTP/1.1 200"), text.npos);
}

}  // namespace
}  // namespace showcaller
