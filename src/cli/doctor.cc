// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "adapters/evidence_files/evidence_files.h"
#include "adapters/sqlite/sqlite_ledger.h"
#include "flow/stored_record.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

// What one verdict rests on.
struct Basis {
  std::uint64_t seq = 0;
  std::int64_t offset = 0;
  std::string hash;
};
using Bases = std::map<std::string, std::vector<Basis>>;  // by stream, in order

void collect(const Record& record, Bases* bases) {
  const auto* verdict = std::get_if<VerdictChanged>(&record.payload);
  if (!verdict || verdict->evidence_offset == 0) return;
  (*bases)[fmt::format("{}/r{}/v{}", verdict->event, verdict->revision, verdict->visit)].push_back(
      {record.seq, verdict->evidence_offset, verdict->evidence_hash});
}

class Examination {
 public:
  Examination(const std::string& data, const std::function<void(const std::string&)>& tell)
      : folder_(fs::is_directory(data) ? fs::path(data) : fs::path(data).parent_path()),
        tell_(tell) {}

  void look_at_evidence(const Bases& bases) {
    std::size_t verdicts = 0, gone = 0;
    for (const auto& [stream, of_stream] : bases) {
      const Status held = hold_against(stream, of_stream);
      if (!held && held.error().code == ErrorCode::NotFound) {
        ++gone;
      } else if (!held) {
        bad("evidence  " + held.error().message);
      } else {
        verdicts += of_stream.size();
      }
    }
    tell_(fmt::format(
        "evidence  {} verdicts rest on what is stored; {} streams are not kept any more", verdicts,
        gone));
  }

  void look_at_ledgers(const World& world) {
    std::size_t good = 0, gone = 0;
    world.events.each([&](const std::string& name, const EventState& event) {
      for (const LedgerStanding& sealed : event.ledgers) {
        const auto seal = seal_of_ledger((folder_ / "ledger").string(), {name, sealed.revision});
        if (!seal && (seal.error().code == ErrorCode::NotFound)) {
          ++gone;
        } else if (!seal) {
          bad("ledger    " + seal.error().message);
        } else if (seal->root != sealed.root) {
          bad(fmt::format("ledger    {} r{} is not what was sealed: {} rows now, {} then", name,
                          sealed.revision, seal->rows, sealed.rows));
        } else {
          ++good;
        }
      }
    });
    tell_(fmt::format("ledger    {} revisions are as they were sealed; {} are not kept any more",
                      good, gone));
  }

  void look_at_snapshot(SqliteJournal* journal) {
    const auto snapshot = journal->newest_snapshot();
    if (!snapshot || !*snapshot) return tell_("snapshot  none: a start reads the whole journal");
    const auto then = world_at(journal, (*snapshot)->seq);
    if (then && world_to_text(*then) == (*snapshot)->bytes)
      return tell_(fmt::format("snapshot  good at record {}", (*snapshot)->seq));
    bad(fmt::format("snapshot  differs from the journal (it is a cache: remove it) at record {}",
                    (*snapshot)->seq));
  }

  Health health() const { return health_; }

 private:
  // Each verdict's mark is one of the stream's, or of the watch's after it.
  Status hold_against(const std::string& stream, const std::vector<Basis>& bases) {
    std::map<std::int64_t, std::set<std::string>> marks;
    for (const Basis& basis : bases) marks[basis.offset];
    std::size_t there = 0;
    for (const std::string& name : {stream, stream + "-live"}) {
      const Status read = read_evidence((folder_ / "evidence").string(), name,
                                        [&](std::string_view, const EvidenceMark& mark) {
                                          const auto at = marks.find(mark.offset);
                                          if (at != marks.end())
                                            at->second.insert(to_hex(mark.hash));
                                          return true;
                                        });
      if (!read && read.error().code != ErrorCode::NotFound) return read;
      there += read ? 1 : 0;
    }
    if (there == 0) return fail(ErrorCode::NotFound, stream + " is not kept any more");
    for (const Basis& basis : bases) {
      if (marks[basis.offset].contains(basis.hash)) continue;
      return fail(ErrorCode::Corrupt,
                  fmt::format("{} up to byte {} is not what the verdict of record {} rested on",
                              stream, basis.offset, basis.seq));
    }
    return {};
  }
  void bad(const std::string& line) {
    health_ = Health::Bad;
    tell_(line);
  }

  const fs::path folder_;
  const std::function<void(const std::string&)>& tell_;
  Health health_ = Health::Good;
};

}  // namespace

std::string journal_of(const std::string& data) {
  std::error_code error;
  return fs::is_directory(data, error) ? (fs::path(data) / "journal.db").string() : data;
}

Result<World> world_at(SqliteJournal* journal, std::uint64_t seq,
                       const std::function<void(const Record&)>& seen) {
  World world;
  Status folded;
  TRY(journal->read(1, [&](const StoredRecord& stored) {
    if (stored.seq > seq) return false;
    folded = [&]() -> Status {
      TRY(const Record record, decode_stored(stored));
      if (seen) seen(record);
      return evolve(&world, record);
    }();
    return folded.has_value();
  }));
  TRY(folded);
  return world;
}

Result<Health> examine(const std::string& data,
                       const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                       const std::function<void(const std::string&)>& tell) {
  TRY(const auto journal, SqliteJournal::open(journal_of(data), {.read_only = true}));
  TRY(const JournalTail tail, journal->verify(progress));
  tell(fmt::format("chain     good: {} records, the last of {}, hash {}", tail.seq,
                   format_instant(instant_ms(tail.time_ms)), to_hex(tail.hash).substr(0, 16)));
  Bases bases;
  TRY(const World world,
      world_at(journal.get(), tail.seq, [&](const Record& record) { collect(record, &bases); }));
  tell(fmt::format("records   good: every one is read and folded; world {}",
                   world_hash(world).substr(0, 16)));
  Examination examination(data, tell);
  examination.look_at_snapshot(journal.get());
  examination.look_at_evidence(bases);
  examination.look_at_ledgers(world);
  return examination.health();
}

}  // namespace showcaller
