// SPDX-License-Identifier: Apache-2.0
#include "wire/sidecar/grpc_convert.h"

namespace showcaller {

void fill(const agones::GameServer& from, sdk::GameServer* to) {
  auto* meta = to->mutable_object_meta();
  meta->set_name(from.name);
  meta->set_namespace_(from.name_space);
  meta->set_uid(from.uid);
  meta->set_resource_version(from.resource_version);
  meta->set_generation(from.generation);
  meta->set_creation_timestamp(from.creation_timestamp);
  meta->set_deletion_timestamp(from.deletion_timestamp);
  meta->mutable_annotations()->insert(from.annotations.begin(), from.annotations.end());
  meta->mutable_labels()->insert(from.labels.begin(), from.labels.end());
  auto* health = to->mutable_spec()->mutable_health();
  health->set_disabled(from.health.disabled);
  health->set_period_seconds(from.health.period_seconds);
  health->set_failure_threshold(from.health.failure_threshold);
  health->set_initial_delay_seconds(from.health.initial_delay_seconds);
  auto* status = to->mutable_status();
  status->set_state(from.state);
  status->set_address(from.address);
  for (const agones::Address& address : from.addresses) {
    auto* one = status->add_addresses();
    one->set_type(address.type);
    one->set_address(address.address);
  }
  for (const agones::Port& port : from.ports) {
    auto* one = status->add_ports();
    one->set_name(port.name);
    one->set_port(port.port);
  }
  if (from.players) {
    auto* players = status->mutable_players();
    players->set_count(std::int64_t(from.players->ids.size()));
    players->set_capacity(from.players->capacity);
    players->mutable_ids()->Assign(from.players->ids.begin(), from.players->ids.end());
  }
  for (const auto& [name, counter] : from.counters) {
    auto& one = (*status->mutable_counters())[name];
    one.set_count(counter.count);
    one.set_capacity(counter.capacity);
  }
  for (const auto& [name, list] : from.lists) {
    auto& one = (*status->mutable_lists())[name];
    one.set_capacity(list.capacity);
    one.mutable_values()->Assign(list.values.begin(), list.values.end());
  }
}

void fill(const agones::ListReply& from, sdk::beta::List* to) {
  to->set_name(from.name);
  to->set_capacity(from.list.capacity);
  to->mutable_values()->Assign(from.list.values.begin(), from.list.values.end());
}

void fill(const agones::CounterReply& from, sdk::beta::Counter* to) {
  to->set_name(from.name);
  to->set_count(from.counter.count);
  to->set_capacity(from.counter.capacity);
}

}  // namespace showcaller
