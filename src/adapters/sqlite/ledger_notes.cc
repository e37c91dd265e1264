// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/ledger_notes.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include "base/json.h"
#include "flow/port/ledger_rules.h"

namespace showcaller {
namespace {

constexpr std::size_t kSizeBytes = 4;
constexpr std::size_t kOverhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;

Error notes_error(const std::string& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? ErrorCode::Limit : ErrorCode::Unavailable,
          fmt::format("{}: {}; who is exposed waits in memory until it is settled; check the "
                      "folder's owner and space",
                      path, std::strerror(error))};
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string text_of(const LedgerEntry& entry) {
  return to_json_text(json::value{{"event", entry.event},
                                  {"revision", entry.revision},
                                  {"visit", entry.visit},
                                  {"region", entry.region},
                                  {"player", entry.player},
                                  {"session", entry.session},
                                  {"source", to_string(entry.source)},
                                  {"at_ms", to_ms(entry.at)}});
}

std::optional<LedgerEntry> entry_of(std::string_view text) {
  const auto value = parse_json(text);
  if (!value || !value->is_object()) return std::nullopt;
  const json::object& object = value->get_object();
  const auto source = ledger_source_from(get_string(object, "source"));
  if (!source) return std::nullopt;
  return LedgerEntry{get_string(object, "event"),
                     get_int(object, "revision"),
                     get_int(object, "visit"),
                     get_string(object, "region"),
                     get_string(object, "player"),
                     get_string(object, "session"),
                     *source,
                     instant_ms(get_int(object, "at_ms"))};
}

// The first note's box opened; its bytes are taken off. Nothing: no whole note is left.
std::optional<LedgerEntry> next_note(std::string_view* rest, const Sha256& key) {
  if (rest->size() < kSizeBytes) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < kSizeBytes; ++i) size |= std::size_t(bytes_of(*rest)[i]) << (8 * i);
  if (size < kOverhead || rest->size() - kSizeBytes < size) return std::nullopt;
  const std::string_view note = rest->substr(kSizeBytes, size);
  rest->remove_prefix(kSizeBytes + size);
  const std::string_view box = note.substr(crypto_secretbox_NONCEBYTES);
  std::string text(size - kOverhead, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(text.data()), bytes_of(box),
                                 box.size(), bytes_of(note), key.data()) != 0) {
    return std::nullopt;
  }
  return entry_of(text);
}

}  // namespace

LedgerNotes::~LedgerNotes() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status LedgerNotes::open(std::string path, const Sha256& key) {
  static_assert(crypto_secretbox_KEYBYTES == std::tuple_size_v<Sha256>);
  path_ = std::move(path);
  key_ = key;
  TRY(read_file(path_ + ".settling"));
  return read_file(path_);
}

Status LedgerNotes::read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::string_view rest = bytes;
  while (auto entry = next_note(&rest, key_)) settling_.push_back(*std::move(entry));
  return {};
}

std::string LedgerNotes::make_note(const LedgerEntry& entry) const {
  const std::string text = text_of(entry);
  const std::size_t size = text.size() + kOverhead;
  std::string note(kSizeBytes + size, '\0');
  for (std::size_t i = 0; i < kSizeBytes; ++i) note[i] = char(size >> (8 * i));
  auto* nonce = reinterpret_cast<unsigned char*>(note.data()) + kSizeBytes;
  randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(nonce + crypto_secretbox_NONCEBYTES, bytes_of(text), text.size(), nonce,
                        key_.data());
  return note;
}

Status LedgerNotes::append(std::span<const LedgerEntry> entries) {
  std::string notes;
  for (const LedgerEntry& entry : entries) {
    TRY(check_ledger_entry(entry));
    notes += make_note(entry);
  }
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.end(), entries.begin(), entries.end());
  return write(notes);
}

// A note written by half would hide those after it: it is cut off.
Status LedgerNotes::write(const std::string& notes) {
  if (notes.empty()) return {};
  if (descriptor_ < 0)
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor_ < 0) return std::unexpected(notes_error(path_));
  const off_t before = ::lseek(descriptor_, 0, SEEK_END);
  const ssize_t written = ::write(descriptor_, notes.data(), notes.size());
  if (written == ssize_t(notes.size())) return {};
  if (written >= 0) errno = ENOSPC;
  const Error error = notes_error(path_);
  if (::ftruncate(descriptor_, before) != 0) {
    ::close(descriptor_);
    descriptor_ = -1;
  }
  return std::unexpected(error);
}

std::size_t LedgerNotes::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + settling_.size();
}

Result<std::vector<LedgerEntry>> LedgerNotes::take() {
  const std::lock_guard lock(mutex_);
  if (!settling_.empty() || waiting_.empty()) return settling_;
  if (descriptor_ >= 0) {
    if (std::rename(path_.c_str(), (path_ + ".settling").c_str()) != 0)
      return std::unexpected(notes_error(path_));
    ::close(descriptor_);
    descriptor_ = -1;
  }
  settling_.swap(waiting_);
  return settling_;
}

// Before the first note of this process, its file is what another left: taken, and dropped, too.
Status LedgerNotes::drop() {
  const std::lock_guard lock(mutex_);
  settling_.clear();
  const std::string settling = path_ + ".settling";
  if (::unlink(settling.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(notes_error(settling));
  if (descriptor_ < 0 && waiting_.empty() && ::unlink(path_.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(notes_error(path_));
  return {};
}

}  // namespace showcaller
