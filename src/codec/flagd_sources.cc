// SPDX-License-Identifier: Apache-2.0
#include "codec/flagd_sources.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

constexpr std::int64_t kSecondsMax = 86'400;
constexpr std::int64_t kMessageBytesMax = 1 << 30;

struct Provider {
  std::string_view name;
  std::optional<FlagSourceKind> kind;  // absent: not read by this program
};
constexpr std::array kProviders{Provider{"file", FlagSourceKind::File},
                                Provider{"fsnotify", FlagSourceKind::File},
                                Provider{"fileinfo", FlagSourceKind::File},
                                Provider{"http", FlagSourceKind::Http},
                                Provider{"grpc", FlagSourceKind::Grpc},
                                Provider{"kubernetes", {}},
                                Provider{"gcs", {}},
                                Provider{"azblob", {}},
                                Provider{"s3", {}}};

struct Prefix {
  std::string_view text;
  std::string_view provider;
  bool is_part_of_name = false;
};
constexpr std::array kPrefixes{Prefix{"file:", "file"},
                               Prefix{"http://", "http", true},
                               Prefix{"https://", "http", true},
                               Prefix{"grpc://", "grpc"},
                               Prefix{"grpcs://", "grpc"},
                               Prefix{"core.openfeature.dev/", "kubernetes"},
                               Prefix{"gs://", "gcs"},
                               Prefix{"azblob://", "azblob"},
                               Prefix{"s3://", "s3"}};

std::unexpected<Error> not_read(std::string_view provider) {
  return fail(ErrorCode::Unsupported,
              fmt::format("sources of {} are not read; give a file (file:flags.json), a URL "
                          "(https://…) or a flagd to follow (grpc://host:8015)",
                          provider));
}

Result<FlagSourceKind> kind_of(std::string_view provider) {
  const auto found = std::ranges::find(kProviders, provider, &Provider::name);
  if (found == kProviders.end()) {
    return fail(ErrorCode::Invalid,
                fmt::format("there is no provider '{}'; write file, http or grpc", provider));
  }
  if (!found->kind) return not_read(provider);
  return *found->kind;
}

Status check_name(FlagSourceKind kind, std::string_view name) {
  const auto ends = [&](std::string_view extension) { return name.ends_with(extension); };
  if (kind == FlagSourceKind::File && !ends(".json") && !ends(".yaml") && !ends(".yml")) {
    return fail(ErrorCode::Invalid,
                fmt::format("'{}' has no known extension; name it .json, .yaml or .yml", name));
  }
  if (kind == FlagSourceKind::Http && !name.starts_with("http://") &&
      !name.starts_with("https://")) {
    return fail(ErrorCode::Invalid,
                fmt::format("'{}' is no URL; begin it with http:// or https://", name));
  }
  if (kind == FlagSourceKind::Grpc && name.find("://") != name.npos) {
    return fail(ErrorCode::Unsupported,
                fmt::format("the target '{}' is not resolved; write HOST:PORT", name));
  }
  return {};
}

// The members of one source, by what each means.
class SourceReader {
 public:
  explicit SourceReader(const json::object& object) : object_(object) {}

  Result<FlagSourceConfig> read() {
    TRY(std::string uri, text("uri"));
    TRY(const std::string provider, text("provider"));
    if (uri.empty()) return fail(ErrorCode::Invalid, "`uri` is missing");
    if (provider.empty()) return fail(ErrorCode::Invalid, "`provider` is missing");
    FlagSourceConfig source;
    TRY(source.kind, kind_of(provider));
    source.name = std::move(uri);
    TRY(check_name(source.kind, source.name));
    TRY(read_http(&source));
    TRY(read_grpc(&source));
    TRY(check_members());
    return source;
  }

 private:
  Status read_http(FlagSourceConfig* source) {
    TRY(const std::string bearer, text("bearerToken"));
    TRY(const std::string authorization, text("authHeader"));
    if (!bearer.empty() && !authorization.empty()) {
      return fail(ErrorCode::Invalid, "`bearerToken` and `authHeader` are both there; keep one");
    }
    if (!bearer.empty()) source->headers["Authorization"] = "Bearer " + bearer;
    if (!authorization.empty()) source->headers["Authorization"] = authorization;
    TRY(const std::int64_t interval_s, number("interval", 5, kSecondsMax));
    TRY(const std::int64_t timeout_s, number("timeoutS", 10, kSecondsMax));
    source->interval = seconds(std::max<std::int64_t>(interval_s, 1));
    source->timeout = seconds(std::max<std::int64_t>(timeout_s, 1));
    if (const json::value* headers = get_if(object_, "headers")) {
      if (!headers->is_object()) return fail(ErrorCode::Invalid, "`headers` is not an object");
      for (const auto& [name, value] : headers->get_object()) {
        if (!value.is_string())
          return fail(ErrorCode::Invalid,
                      fmt::format("the header `{}` is not a text", std::string_view(name)));
        source->headers[std::string(name)] = std::string(value.get_string());
      }
    }
    return {};
  }

  Status read_grpc(FlagSourceConfig* source) {
    TRY(source->certificate_file, text("certPath"));
    TRY(source->provider_id, text("providerID"));
    TRY(source->selector, text("selector"));
    TRY(const std::int64_t bytes, number("maxMsgSize", 0, kMessageBytesMax));
    source->message_bytes_max = std::size_t(bytes);
    if (const json::value* tls = get_if(object_, "tls")) {
      if (!tls->is_bool()) return fail(ErrorCode::Invalid, "`tls` is neither true nor false");
      source->tls = tls->get_bool();
    }
    return {};
  }

  Status check_members() const {
    static constexpr std::array<std::string_view, 13> kKnown{
        "uri",     "provider", "bearerToken", "authHeader", "interval", "intervalSeed", "timeoutS",
        "headers", "tls",      "certPath",    "providerID", "selector", "maxMsgSize"};
    for (const auto& member : object_) {
      const std::string_view name = member.key();
      if (name == "oauth") {
        return fail(ErrorCode::Unsupported,
                    "`oauth` is not spoken; give a token that lasts in `authHeader`");
      }
      if (std::ranges::find(kKnown, name) == kKnown.end())
        return fail(ErrorCode::Invalid, fmt::format("there is no member `{}`; take it out", name));
    }
    return {};
  }

  Result<std::string> text(std::string_view name) const {
    const json::value* found = get_if(object_, name);
    if (found == nullptr) return std::string();
    if (!found->is_string())
      return fail(ErrorCode::Invalid, fmt::format("`{}` is not a text", name));
    return std::string(found->get_string());
  }

  Result<std::int64_t> number(std::string_view name, std::int64_t fallback,
                              std::int64_t most) const {
    const json::value* found = get_if(object_, name);
    if (found == nullptr) return fallback;
    if (!found->is_int64() || found->get_int64() < 0 || found->get_int64() > most) {
      return fail(ErrorCode::Invalid,
                  fmt::format("`{}` is not a whole number from 0 to {}", name, most));
    }
    return found->get_int64();
  }

  const json::object& object_;
};

}  // namespace

Result<FlagSourceConfig> parse_flag_source_uri(std::string_view uri) {
  const auto found = std::ranges::find_if(
      kPrefixes, [&](const Prefix& each) { return uri.starts_with(each.text); });
  if (found == kPrefixes.end()) {
    return fail(
        ErrorCode::Invalid,
        fmt::format("'{}' is no source; begin it with file:, http(s):// or grpc(s)://", uri));
  }
  FlagSourceConfig source;
  TRY(source.kind, kind_of(found->provider));
  source.name = found->is_part_of_name ? uri : uri.substr(found->text.size());
  source.tls = found->text == "grpcs://";
  TRY(check_name(source.kind, source.name));
  return source;
}

Result<std::vector<FlagSourceConfig>> parse_flag_sources(std::string_view text) {
  TRY(const json::value parsed, parse_json(text, {.bytes_max = 1 << 20, .depth_max = 8}));
  const json::array* list = parsed.if_array();
  if (list == nullptr) return fail(ErrorCode::Invalid, "sources are a JSON array of objects");
  std::vector<FlagSourceConfig> sources;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json::object* object = (*list)[i].if_object();
    if (object == nullptr)
      return fail(ErrorCode::Invalid, fmt::format("sources[{}]: it is not an object", i));
    auto source = SourceReader(*object).read();
    if (!source)
      return fail(source.error().code, fmt::format("sources[{}]: {}", i, source.error().message));
    sources.push_back(*std::move(source));
  }
  return sources;
}

}  // namespace showcaller
