// SPDX-License-Identifier: Apache-2.0
// Alerts over real HTTP: what each kind of route hears, and what its answers mean.
#include "adapters/http_alert/http_alert.h"

#include <future>
#include <map>

#include <gtest/gtest.h>

#include "net/http_server.h"

namespace showcaller {
namespace {

using Told = std::pair<AlertSent, std::string>;

class HttpAlertTest : public testing::Test {
 protected:
  // Answers as its path ends: /202, /503, /400.
  void SetUp() override {
    auto started = HttpServer::start({}, [this](HttpRequest&& request, Responder responder) {
      std::lock_guard lock(mutex_);
      const int status = std::atoi(request.path.c_str() + request.path.rfind('/') + 1);
      heard_.push_back(std::move(request));
      responder.send(text_response(status == 0 ? 200 : status, "so\nit is"));
    });
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
    HttpAlertOptions options;
    options.wall = [] { return instant_ms(1'800'000'000'000); };
    options.secret = [this](const std::string& name) -> Result<std::string> {
      const auto known = secrets_.find(name);
      if (known != secrets_.end()) return known->second;
      return fail(ErrorCode::NotFound, "there is no secret '" + name + "'");
    };
    options.pager_duty_url = server_->url() + "/v2/enqueue/202";
    port_ = std::make_unique<HttpAlert>(std::move(options));
  }

  Told send(AlertRoute route) {
    route.name = "route";
    std::promise<Told> promise;
    port_->send(
        {std::move(route), json::object{{"id", "a17"}, {"change", 3}, {"state", "firing"}}},
        [&](AlertSent sent, std::string detail) { promise.set_value({sent, std::move(detail)}); });
    return promise.get_future().get();
  }
  AlertRoute route(RouteType type, const std::string& path) {
    return {.type = type, .url = path.empty() ? "" : server_->url() + path};
  }

  std::mutex mutex_;
  std::vector<HttpRequest> heard_;
  std::map<std::string, std::string> secrets_{{"key", "s3cret"}};
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpAlert> port_;
};

TEST_F(HttpAlertTest, EachRouteHearsItsOwnWords) {
  AlertRoute webhook = route(RouteType::Webhook, "/hook/204?x=1");
  webhook.secret = "key";
  EXPECT_EQ(send(webhook), (Told{AlertSent::Delivered, "204 No Content"}));
  EXPECT_EQ(heard_[0].target, "/hook/204?x=1");
  EXPECT_EQ(heard_[0].headers.get("Content-Type"), "application/cloudevents+json");
  EXPECT_EQ(heard_[0].headers.get("Idempotency-Key"), "a17/3");
  EXPECT_EQ(heard_[0].headers.get("Authorization"), "Bearer s3cret");
  send(route(RouteType::Alertmanager, "/base/"));
  EXPECT_EQ(heard_[1].target, "/base/api/v2/alerts");
  send(route(RouteType::Slack, "/services/x/200"));
  EXPECT_TRUE(heard_[2].body.starts_with("{\"text\":"));
  AlertRoute pager = route(RouteType::PagerDuty, "");
  pager.secret = "key";
  EXPECT_EQ(send(pager), (Told{AlertSent::Delivered, "202 Accepted"}));
  EXPECT_EQ(heard_[3].target, "/v2/enqueue/202");
  EXPECT_NE(heard_[3].body.find("\"routing_key\":\"s3cret\""), std::string::npos);
  EXPECT_EQ(heard_[3].headers.get("Authorization"), "");
}

TEST_F(HttpAlertTest, WhatMayHelpIsTriedAgain) {
  EXPECT_EQ(send(route(RouteType::Slack, "/503")),
            (Told{AlertSent::Again, "503 Service Unavailable: so it is"}));
  EXPECT_EQ(send(route(RouteType::Slack, "/429")).first, AlertSent::Again);
  EXPECT_EQ(send(route(RouteType::Slack, "/400")),
            (Told{AlertSent::Refused, "400 Bad Request: so it is"}));
  EXPECT_EQ(send(route(RouteType::Slack, "/302")).first, AlertSent::Refused);
}

TEST_F(HttpAlertTest, ASecretAddressIsNeverTold) {
  secrets_["address"] = "http://127.0.0.1:1/s3cret";
  AlertRoute away{.type = RouteType::Slack, .url_secret = "address"};
  const Told told = send(away);
  EXPECT_EQ(told.first, AlertSent::Again);
  EXPECT_EQ(told.second, "the route cannot be reached");
  AlertRoute unknown{.type = RouteType::Slack, .url_secret = "none"};
  EXPECT_EQ(send(unknown), (Told{AlertSent::Again, "there is no secret 'none'"}));
}

}  // namespace
}  // namespace showcaller
