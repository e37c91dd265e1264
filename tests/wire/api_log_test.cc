// SPDX-License-Identifier: Apache-2.0
// The log of requests: one line each, with the caller's trace and without what is secret.
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "net/http_client.h"
#include "tests/wire/fake_backend.h"
#include "wire/api_server.h"
#include "wire/metric_table.h"

namespace showcaller {
namespace {

TEST(ApiLog, WritesALinePerRequest) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    FakeBackend backend;
    MetricsRegistry metrics(kMetricTable);
    Log log(ends[1]);
    auto server = *ApiServer::start({}, &backend, &metrics, &log);
    HttpClient client({.base_url = server->url()});
    ASSERT_TRUE(client.send(
        {.target = "/livez?secret=1",
         .headers = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}}));
  }
  ::close(ends[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
  ::close(ends[0]);
  const auto line = parse_json(text);
  ASSERT_TRUE(line) << text;
  EXPECT_EQ(get_string(line->as_object(), "time"), "1970-01-01T00:16:40Z");
  EXPECT_EQ(get_string(line->as_object(), "trace_id"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(get_string(line->as_object(), "span_id").size(), 16u);
  EXPECT_EQ(get_string(line->as_object(), "path"), "/livez");
  EXPECT_EQ(text.find("secret"), text.npos);
}

}  // namespace
}  // namespace showcaller
