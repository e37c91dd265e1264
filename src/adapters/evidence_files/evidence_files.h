// SPDX-License-Identifier: Apache-2.0
// The evidence store as append-only text files, one a stream: FOLDER/winter-raid+r1+v3.evidence
//
//   file  = line*
//   line  = HASH ' ' JSON '\n'      HASH: the stream's chain up to this line, 64 hex digits
//
// `cut -c66-` gives the ticks as plain JSON Lines. The first line whose hash does not hold ends the
// stream: the rest is moved to FILE.cut-N when the file is opened, never thrown away, and told of
// in take_notes().
//
// Bounded: a stream and the folder have limits. When the folder is full, the streams that were
// touched longest ago go first, never one that is open for writing. Threads: any. One process owns
// a folder (FOLDER/.lock).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "flow/port/evidence_store.h"

namespace showcaller {

struct EvidenceFilesOptions {
  std::uint64_t stream_bytes_max = 1ull << 30;
  std::uint64_t total_bytes_max = 8ull << 30;
};

struct EvidenceStream {
  std::string name;
  std::uint64_t bytes = 0;  // on disk
};

class EvidenceFiles final : public EvidenceStore {
 public:
  // Makes the folder. Conflict: another process has it.
  static Result<std::unique_ptr<EvidenceFiles>> open(const std::string& folder,
                                                     const EvidenceFilesOptions& options = {});
  ~EvidenceFiles() override;

  Result<EvidenceMark> append(std::string_view stream, std::string_view line) override;
  Status flush() override;
  Status read(std::string_view stream,
              const std::function<bool(std::string_view line, const EvidenceMark&)>& sink) override;
  void close(std::string_view stream) override;
  Result<std::size_t> remove_older(Instant before) override;
  std::vector<Error> take_notes() override;

  // By name.
  Result<std::vector<EvidenceStream>> list();
  Status remove(std::string_view stream);

 private:
  struct File;
  EvidenceFiles(std::string folder, EvidenceFilesOptions options);
  std::string path_of(std::string_view stream) const;
  Result<File*> file_of(std::string_view stream);  // opens it; makes none
  Status make_file(std::string_view stream, File* file);
  Status recover(const std::string& path, File* file);
  Status set_aside(const std::string& path, std::uint64_t good, std::uint64_t size, File* file);
  Status make_room(std::uint64_t more);
  Result<std::vector<EvidenceStream>> list_locked() const;

  const std::string folder_;
  const EvidenceFilesOptions options_;
  int lock_ = -1;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<File>, std::less<>> open_;
  std::uint64_t total_bytes_ = 0;
  std::vector<Error> notes_;
};

// A stream as it stands, beside a running server: up to the first line that is not whole or does
// not hold; nothing is moved. NotFound: there is no such stream.
[[nodiscard]] Status read_evidence(
    const std::string& folder, std::string_view stream,
    const std::function<bool(std::string_view line, const EvidenceMark&)>& sink);
// A copy beside a running server: each stream up to its last whole line. Makes the folder (0700).
[[nodiscard]] Status copy_evidence(const std::string& folder, const std::string& to);

}  // namespace showcaller
