// SPDX-License-Identifier: Apache-2.0
#include "tests/adapters/sqlite/power_disk.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/check.h"

namespace showcaller {

// What a file's sectors were before a change, so that a cut can bring any of it back.
void PowerFile::remember(std::size_t first, std::size_t end) {
  for (std::size_t sector = first / kSector; sector * kSector < end; ++sector) {
    std::vector<std::string>& states = history_[sector];
    const std::size_t at = sector * kSector;
    std::string state = at < bytes_.size() ? bytes_.substr(at, kSector) : std::string();
    state.resize(kSector, '\0');
    states.push_back(std::move(state));
  }
}

void PowerFile::write(std::size_t offset, std::string_view bytes) {
  remember(offset, offset + bytes.size());
  if (offset + bytes.size() > bytes_.size()) {
    sizes_.push_back(bytes_.size());
    bytes_.resize(offset + bytes.size(), '\0');
  }
  bytes_.replace(offset, bytes.size(), bytes);
}

void PowerFile::truncate(std::size_t size) {
  if (size == bytes_.size()) return;
  remember(size, bytes_.size());
  sizes_.push_back(bytes_.size());
  bytes_.resize(size, '\0');
}

void PowerFile::sync() {
  history_.clear();
  sizes_.clear();
}

void PowerFile::cut(Random* random) {
  // The lengths since the last sync, the present one last.
  sizes_.push_back(bytes_.size());
  const std::size_t size = sizes_[random->below(sizes_.size())];
  const std::size_t full = *std::max_element(sizes_.begin(), sizes_.end());
  bytes_.resize(full, '\0');
  for (auto& [sector, states] : history_) {
    const std::size_t choice = random->below(states.size() + 1);
    if (choice == states.size()) continue;  // the newest state made it
    const std::size_t at = sector * kSector;
    if (at >= full) continue;
    bytes_.replace(at, std::min(kSector, full - at), states[choice], 0,
                   std::min(kSector, full - at));
  }
  bytes_.resize(size, '\0');
  sync();
}

bool PowerDisk::spend() {
  ++operations_;
  if (off_) return false;
  if (operations_left_ && (*operations_left_)-- == 0) off_ = true;
  return !off_;
}

bool PowerDisk::has_room_for(std::uint64_t more) const {
  std::uint64_t used = more;
  for (const auto& [path, file] : files) used += file->data.bytes().size();
  return used <= bytes_max_;
}

void PowerDisk::restart() {
  for (auto& [path, file] : files) {
    file->data.cut(&random_);
    CHECK(file->readers == 0 && file->reserved == nullptr);
    file->shared_memory = {};
  }
  revive();
}

namespace {

struct OpenFile {
  sqlite3_file base;
  PowerDisk* disk;
  std::shared_ptr<DiskFile>* file;  // by pointer: SQLite owns and zeroes the memory
  int lock;
  unsigned shared_slots, exclusive_slots;
  bool delete_on_close;
};

OpenFile& self(sqlite3_file* base) {
  return *reinterpret_cast<OpenFile*>(base);
}
DiskFile& disk_file(sqlite3_file* base) {
  return **self(base).file;
}

int unlock_file(sqlite3_file* base, int level) {
  OpenFile& me = self(base);
  DiskFile& file = disk_file(base);
  if (me.lock >= SQLITE_LOCK_RESERVED && level < SQLITE_LOCK_RESERVED)
    file.reserved = nullptr, file.exclusive = false;
  if (me.lock >= SQLITE_LOCK_SHARED && level < SQLITE_LOCK_SHARED) --file.readers;
  me.lock = std::min(me.lock, level);
  return SQLITE_OK;
}

int lock_file(sqlite3_file* base, int level) {
  OpenFile& me = self(base);
  DiskFile& file = disk_file(base);
  if (me.lock >= level) return SQLITE_OK;
  if (me.lock < SQLITE_LOCK_SHARED) {
    if (file.exclusive) return SQLITE_BUSY;
    ++file.readers;
    me.lock = SQLITE_LOCK_SHARED;
  }
  if (level >= SQLITE_LOCK_RESERVED) {
    if (file.reserved != nullptr && file.reserved != base) return SQLITE_BUSY;
    file.reserved = base;
    me.lock = SQLITE_LOCK_RESERVED;
  }
  if (level == SQLITE_LOCK_EXCLUSIVE) {
    if (file.readers > 1) return SQLITE_BUSY;
    file.exclusive = true;
  }
  me.lock = level;
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* base, int* reserved) {
  *reserved = disk_file(base).reserved != nullptr;
  return SQLITE_OK;
}

int close_file(sqlite3_file* base) {
  unlock_file(base, SQLITE_LOCK_NONE);
  delete self(base).file;
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* out, int amount, sqlite3_int64 offset) {
  if (self(base).disk->power_is_off()) return SQLITE_IOERR_READ;
  const std::string& bytes = disk_file(base).data.bytes();
  const std::size_t from = std::min(std::size_t(offset), bytes.size());
  const std::size_t size = std::min(std::size_t(amount), bytes.size() - from);
  std::memcpy(out, bytes.data() + from, size);
  if (size == std::size_t(amount)) return SQLITE_OK;
  std::memset(static_cast<char*>(out) + size, 0, std::size_t(amount) - size);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* in, int amount, sqlite3_int64 offset) {
  PowerDisk& disk = *self(base).disk;
  PowerFile& data = disk_file(base).data;
  const bool on = disk.spend();
  if (disk.power_is_off() && !on && disk.random().chance(0.5)) return SQLITE_IOERR_WRITE;
  const std::size_t end = std::size_t(offset) + std::size_t(amount);
  const std::size_t more = end > data.bytes().size() ? end - data.bytes().size() : 0;
  if (!disk.has_room_for(more)) return SQLITE_FULL;
  // The write during which the power fails may still reach the cache, and sectors of it the disk.
  data.write(std::size_t(offset), {static_cast<const char*>(in), std::size_t(amount)});
  return on ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  if (!self(base).disk->spend()) return SQLITE_IOERR_TRUNCATE;
  disk_file(base).data.truncate(std::size_t(size));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* base, int) {
  PowerDisk& disk = *self(base).disk;
  if (!disk.spend()) return SQLITE_IOERR_FSYNC;
  if (!disk.ignores_syncs()) disk_file(base).data.sync();
  return SQLITE_OK;
}

int file_size(sqlite3_file* base, sqlite3_int64* size) {
  *size = sqlite3_int64(disk_file(base).data.bytes().size());
  return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return int(PowerFile::kSector);
}
// As the system's own VFS says of itself, since that is what production runs on.
int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_memory(sqlite3_file* base, int region, int size, int extend, void volatile** out) {
  auto& regions = disk_file(base).shared_memory.regions;
  CHECK(size == 32768);
  *out = nullptr;
  while (extend && int(regions.size()) <= region) {
    regions.push_back(std::make_unique<std::array<char, 32768>>());
    regions.back()->fill(0);
  }
  if (region < int(regions.size())) *out = regions[std::size_t(region)]->data();
  return SQLITE_OK;
}

int lock_memory(sqlite3_file* base, int first, int count, int flags) {
  OpenFile& me = self(base);
  auto& slots = disk_file(base).shared_memory.slots;
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (int pass = 0; pass < 2; ++pass) {  // Look first, then take.
    for (int i = first; i < first + count; ++i) {
      auto& slot = slots[std::size_t(i)];
      const unsigned bit = 1u << i;
      const int mine = (me.shared_slots & bit) != 0 ? 1 : 0;
      if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        if (pass == 0) continue;
        if (exclusive && (me.exclusive_slots & bit) != 0)
          slot.exclusive = false, me.exclusive_slots &= ~bit;
        if (!exclusive && mine) --slot.shared, me.shared_slots &= ~bit;
      } else if (pass == 0) {
        const bool held = slot.exclusive && (me.exclusive_slots & bit) == 0;
        if (held || (exclusive && slot.shared > mine)) return SQLITE_BUSY;
      } else if (exclusive) {
        slot.exclusive = true, me.exclusive_slots |= bit;
      } else if (!mine) {
        ++slot.shared, me.shared_slots |= bit;
      }
    }
  }
  return SQLITE_OK;
}

void memory_barrier(sqlite3_file*) {}

int unmap_memory(sqlite3_file* base, int delete_it) {
  OpenFile& me = self(base);
  lock_memory(base, 0, 8, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
  lock_memory(base, 0, 8, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
  if (delete_it) (*me.file)->shared_memory.regions.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {2,
                                         close_file,
                                         read_file,
                                         write_file,
                                         truncate_file,
                                         sync_file,
                                         file_size,
                                         lock_file,
                                         unlock_file,
                                         check_reserved,
                                         control_file,
                                         sector_size,
                                         characteristics,
                                         map_memory,
                                         lock_memory,
                                         memory_barrier,
                                         unmap_memory,
                                         nullptr,
                                         nullptr};

PowerDisk& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<PowerDisk*>(vfs->pAppData);
}

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags) {
  PowerDisk& disk = disk_of(vfs);
  base->pMethods = nullptr;
  if (disk.power_is_off()) return SQLITE_CANTOPEN;
  const std::string name = path != nullptr ? path : fmt::format("temporary-{}", disk.files.size());
  auto found = disk.files.find(name);
  if (found == disk.files.end()) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    found = disk.files.emplace(name, std::make_shared<DiskFile>()).first;
  }
  auto& file = *new (base) OpenFile{};
  file.disk = &disk;
  file.file = new std::shared_ptr<DiskFile>(found->second);
  file.base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int) {
  PowerDisk& disk = disk_of(vfs);
  if (!disk.spend()) return SQLITE_IOERR_DELETE;
  return disk.files.erase(path) == 1 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

int access_file(sqlite3_vfs* vfs, const char* path, int, int* result) {
  const auto found = disk_of(vfs).files.find(path);
  *result = found != disk_of(vfs).files.end() && !found->second->data.bytes().empty();
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", path);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
  for (int i = 0; i < size; ++i) out[i] = char(disk_of(vfs).random().next());
  return size;
}

int sleep_us(sqlite3_vfs*, int us) {
  return us;
}  // Nobody else runs: waiting changes nothing.
int now_ms(sqlite3_vfs*, sqlite3_int64* ms) {
  return *ms = 210'866'760'000'000, SQLITE_OK;
}
int now_days(sqlite3_vfs*, double* days) {
  return *days = 2440587.5, SQLITE_OK;
}
int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

PowerDisk::PowerDisk(std::uint64_t seed)
    : name_(fmt::format("power-{:016x}", seed)),
      vfs_(std::make_unique<sqlite3_vfs>()),
      random_(seed) {
  *vfs_ = {};
  vfs_->iVersion = 2;
  vfs_->szOsFile = sizeof(OpenFile);
  vfs_->mxPathname = 512;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = open_file;
  vfs_->xDelete = delete_file;
  vfs_->xAccess = access_file;
  vfs_->xFullPathname = full_path;
  vfs_->xRandomness = randomness;
  vfs_->xSleep = sleep_us;
  vfs_->xCurrentTime = now_days;
  vfs_->xCurrentTimeInt64 = now_ms;
  vfs_->xGetLastError = last_error;
  CHECK(sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK);
}

PowerDisk::~PowerDisk() {
  sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace showcaller
