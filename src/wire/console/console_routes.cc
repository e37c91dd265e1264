// SPDX-License-Identifier: Apache-2.0
#include "wire/console/console_routes.h"

#include <fmt/format.h>

namespace showcaller {
namespace {

// Scripts, styles and requests from this server alone, and in nobody else's frame.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

constexpr std::string_view kPageWithoutConsole = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Showcaller</title>
<h1>The console is not in this program</h1>
<p>The server works; its API and the command line show everything that the console would.
<p>The console is built where Node 18 or newer and npm are found and npm reaches its registry.
Install them, delete the folder <code>console</code> of the build folder (<code>build/release/console</code>), and run
<code>./run build</code> again.
</html>
)";

void add_security(HttpHeaders* headers) {
  headers->add("Content-Security-Policy", kContentSecurityPolicy);
  headers->add("X-Content-Type-Options", "nosniff");
  headers->add("Referrer-Policy", "no-referrer");
  headers->add("Cross-Origin-Opener-Policy", "same-origin");
}

bool takes_gzip(const HttpRequest& request) {
  return request.headers.get("Accept-Encoding").find("gzip") != std::string_view::npos;
}

HttpResponse file_response(const HttpRequest& request, const ConsoleFile& file,
                           std::string_view cache_control) {
  const bool gzip = !file.gzip.empty() && takes_gzip(request);
  HttpResponse response{200, {{"Cache-Control", cache_control}, {"Vary", "Accept-Encoding"}}, ""};
  response.headers.add("ETag", fmt::format("\"{}{}\"", file.etag, gzip ? "-gzip" : ""));
  add_security(&response.headers);
  if (request.headers.get("If-None-Match").find(file.etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", file.type);
  if (gzip) response.headers.add("Content-Encoding", "gzip");
  response.body = gzip ? file.gzip : file.plain;
  return response;
}

HttpResponse page_response(const HttpRequest& request, const ConsoleFiles& files) {
  if (const ConsoleFile* page = files.find("index.html"))
    return file_response(request, *page, "no-cache");
  HttpResponse response =
      text_response(200, std::string(kPageWithoutConsole), "text/html; charset=utf-8");
  response.headers.add("Cache-Control", "no-store");
  add_security(&response.headers);
  return response;
}

}  // namespace

void add_console_routes(Router* router, const ConsoleFiles* files) {
  const auto page = [files](const auto& context, Answer answer) {
    answer.send(page_response(context->request, *files));
  };
  for (const auto& [pattern, id] : {std::pair("/", "console"),
                                    {"/console", "consoleStart"},
                                    {"/console/{page...}", "consolePage"}}) {
    router->add({.method = "GET",
                 .pattern = pattern,
                 .id = id,
                 .access = kPublic,
                 .answer_type = "text/html",
                 .handler = page});
  }
  router->add(
      {.method = "GET",
       .pattern = "/assets/{file...}",
       .id = "consoleFile",
       .access = kPublic,
       .answer_type = "*/*",
       .handler = [files](const auto& context, Answer answer) {
         const ConsoleFile* file = files->find("assets/" + std::string(context->param("file")));
         if (file == nullptr) {
           return answer.fail(
               {ErrorCode::NotFound, "the console has no such file; load its page again"});
         }
         answer.send(file_response(context->request, *file, "public, max-age=31536000, immutable"));
       }});
}

}  // namespace showcaller
