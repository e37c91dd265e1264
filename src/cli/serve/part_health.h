// SPDX-License-Identifier: Apache-2.0
// How the parts fare that the server rests on: what each answered last, and since when it is so.
// The ports of evidence and of fleets are watched by standing before them, so that nobody who uses
// them has to tell; relays tell of themselves by asking.
//
// Threads: any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"
#include "compute/port/fleet_driver.h"
#include "flow/port/evidence_store.h"

namespace showcaller {

class PartHealth {
 public:
  explicit PartHealth(std::function<Instant()> wall) : wall_(std::move(wall)) {}

  void note(const Status& status);
  // {"name","kind","ok","detail","at"?,"since"?}; `kind`: what sort of part it is.
  json::object read(std::string_view kind, std::string_view name) const;

 private:
  const std::function<Instant()> wall_;
  mutable std::mutex mutex_;
  std::optional<Instant> at_;  // it answered last
  std::optional<Instant> wrong_since_;
  std::string wrong_;
};

class WatchedEvidence final : public EvidenceStore {
 public:
  WatchedEvidence(EvidenceStore* store, PartHealth* health) : store_(*store), health_(*health) {}

  Result<EvidenceMark> append(std::string_view stream, std::string_view line) override;
  Status flush() override;
  Status read(std::string_view stream,
              const std::function<bool(std::string_view, const EvidenceMark&)>& sink) override {
    return store_.read(stream, sink);
  }
  void close(std::string_view stream) override { store_.close(stream); }
  Result<std::size_t> remove_older(Instant before) override { return store_.remove_older(before); }
  std::vector<Error> take_notes() override { return store_.take_notes(); }

 private:
  EvidenceStore& store_;
  PartHealth& health_;
};

class WatchedDriver final : public FleetDriver {
 public:
  WatchedDriver(FleetDriver* driver, PartHealth* health) : driver_(*driver), health_(*health) {}

  Result<std::vector<ObservedInstance>> observe() override;
  std::uint64_t epoch() const override { return driver_.epoch(); }
  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) override;
  Status may_disturb(Disturbance what) override { return driver_.may_disturb(what); }
  Status disturb(std::uint64_t epoch, const DisturbInstance& disturbance) override {
    return driver_.disturb(epoch, disturbance);
  }
  void allocate(const AllocateInstance& allocation) override { driver_.allocate(allocation); }

 private:
  FleetDriver& driver_;
  PartHealth& health_;
  Status trouble_;  // with what it was told since the last look at it
};

// Relays that have asked since the server began. Limits: kRelaysMax; one more takes the place of
// the one that has been silent longest.
class RelaySightings {
 public:
  static constexpr std::size_t kRelaysMax = 1'000;
  static constexpr Duration kSilenceMax = seconds(10);  // they ask every second

  void heard(std::string place, std::string token, Instant now);
  void read(Instant now, json::array* parts) const;

 private:
  struct Sighting {
    std::string token;
    Instant at{};
  };
  mutable std::mutex mutex_;
  std::map<std::string, Sighting> by_place_;
};

// What the backend tells of, beside the journal; the parts outlive it.
struct ServerParts {
  std::unique_ptr<PartHealth> evidence;
  std::map<std::string, std::unique_ptr<PartHealth>> drivers;  // by their names
};

}  // namespace showcaller
