// SPDX-License-Identifier: Apache-2.0
// The evidence store as append-only files, one a sheet: FOLDER/EVENT.rREVISION.STAGE.vVISIT.evidence
//
//   file  = name-line frame*                       (name-line: flow/port/evidence_store.h)
//   frame = u32 size, u32 sum, hash[32], bytes[size]   little-endian; sum = low half of XXH64(size ‖ hash ‖ bytes)
//
// A frame whose sum or chain does not hold ends the sheet: the rest is moved to FILE.cut-N, never thrown away. Bounded: a
// sheet and the folder have limits; when the folder is full the sheets that were touched longest ago go first, never one
// in use since opening.
//
// Threads: any. One process owns a folder (FOLDER/.lock).
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
  std::uint64_t sheet_bytes_max = 256u << 20;
  std::uint64_t total_bytes_max = 4ull << 30;
};

class EvidenceFiles final : public EvidenceStore {
 public:
  // Makes the folder. Conflict: another process has it.
  static Result<std::unique_ptr<EvidenceFiles>> open(const std::string& folder, const EvidenceFilesOptions& options = {});
  ~EvidenceFiles() override;

  Result<EvidenceMark> append(const EvidenceKey& key, std::string_view tick) override;
  Status flush() override;
  Status read(const EvidenceKey& key, std::uint64_t offset,
              const std::function<bool(std::string_view, const EvidenceMark&)>& sink) override;
  Result<EvidenceMark> end(const EvidenceKey& key) override;
  Status check(const EvidenceKey& key, const EvidenceMark& mark) override;
  Result<std::vector<EvidenceSheet>> list() override;
  Status remove(const EvidenceKey& key) override;
  std::vector<std::string> take_notes() override;

 private:
  struct Sheet;
  EvidenceFiles(std::string folder, EvidenceFilesOptions options);
  std::string path_of(const EvidenceKey& key) const;
  Result<Sheet*> sheet_of(const EvidenceKey& key);          // opens it; makes no file
  Status make_file(const EvidenceKey& key, Sheet* sheet);
  Status recover(const std::string& path, const EvidenceKey& key, Sheet* sheet);
  Status set_aside(const std::string& path, std::uint64_t good, std::uint64_t size, Sheet* sheet);
  Status make_room(std::uint64_t more);
  Result<std::vector<EvidenceSheet>> list_locked() const;

  const std::string folder_;
  const EvidenceFilesOptions options_;
  int lock_ = -1;
  std::mutex mutex_;
  std::map<EvidenceKey, std::unique_ptr<Sheet>> open_;
  std::uint64_t total_bytes_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace showcaller
