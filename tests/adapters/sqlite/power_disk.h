// SPDX-License-Identifier: Apache-2.0
// A disk in memory whose power can be cut, as a SQLite VFS. What a sync covered survives a cut.
// What it did not is at the mercy of the seed, sector by sector: each sector shows any of the
// states that it went through since its last sync, whatever its neighbours show, so writes are
// dropped, torn and reordered. A file's new length is such a state too.
//
// Also: space can run out, power can fail at the n-th write or sync from now, and syncs can be
// ignored (to prove that the tests would notice).
//
// Threads: one, with any number of connections.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"

struct sqlite3_vfs;

namespace showcaller {

class PowerFile {
 public:
  static constexpr std::size_t kSector = 512;

  void write(std::size_t offset, std::string_view bytes);
  void truncate(std::size_t size);
  void sync();
  // What the disk shows after a power cut now.
  void cut(Random* random);
  const std::string& bytes() const { return bytes_; }

 private:
  void remember(std::size_t first, std::size_t end);

  std::string bytes_;  // as the programs see it
  std::map<std::size_t, std::vector<std::string>>
      history_;                     // unsynced states by sector, oldest (synced) first
  std::vector<std::size_t> sizes_;  // unsynced lengths, oldest first
};

struct SharedMemory {
  std::vector<std::unique_ptr<std::array<char, 32768>>> regions;
  struct Slot {
    int shared = 0;
    bool exclusive = false;
  };
  std::array<Slot, 8> slots;
};

struct DiskFile {
  PowerFile data;
  SharedMemory shared_memory;
  int readers = 0;                 // connections that hold a lock of at least SHARED
  const void* reserved = nullptr;  // the connection that holds RESERVED or more
  bool exclusive = false;
};

class PowerDisk {
 public:
  // Registers the VFS under its own name; unregisters when destroyed. Close all databases before.
  explicit PowerDisk(std::uint64_t seed);
  ~PowerDisk();
  PowerDisk(const PowerDisk&) = delete;
  PowerDisk& operator=(const PowerDisk&) = delete;

  const std::string& name() const { return name_; }
  // The power fails after this many more writes and syncs: all I/O fails from then on, until
  // restart().
  void fail_after(std::uint64_t operations) { operations_left_ = operations; }
  bool power_is_off() const { return off_; }
  // Cuts the power (if it is on) and brings back what survived. Close all databases before.
  void restart();
  // As restart(), but for a process that died: nothing is lost.
  void revive() { off_ = false, operations_left_.reset(); }

  void ignore_syncs(bool ignore) { ignore_syncs_ = ignore; }
  void set_bytes_max(std::uint64_t bytes) { bytes_max_ = bytes; }
  std::uint64_t operations() const { return operations_; }

  // For the VFS.
  std::map<std::string, std::shared_ptr<DiskFile>> files;
  bool spend();  // one write or sync; false: the power is off
  bool has_room_for(std::uint64_t more) const;
  bool ignores_syncs() const { return ignore_syncs_; }
  Random& random() { return random_; }

 private:
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  Random random_;
  bool off_ = false;
  bool ignore_syncs_ = false;
  std::uint64_t operations_ = 0;
  std::optional<std::uint64_t> operations_left_;
  std::uint64_t bytes_max_ = UINT64_MAX;
};

}  // namespace showcaller
