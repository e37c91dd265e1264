// SPDX-License-Identifier: Apache-2.0
#include "packets.h"

namespace arena {
namespace {

constexpr std::string_view kMagic = "ARN1";

class Writer {
 public:
  template <class T>
  void number(T value) {
    auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      out += char(bits & 0xff);
      bits = std::make_unsigned_t<T>(std::uint64_t(bits) >> 8);
    }
  }
  void text(std::string_view value) {
    value = value.substr(0, 255);
    number(std::uint8_t(value.size()));
    out += value;
  }
  std::string out{kMagic};
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  template <class T>
  T number() {
    std::uint64_t value = 0;
    if (left_.size() < sizeof(T)) {
      good_ = false;
      return 0;
    }
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value |= std::uint64_t(std::uint8_t(left_[i])) << (8 * i);
    left_.remove_prefix(sizeof(T));
    return T(value);
  }
  std::string text() {
    const std::size_t size = number<std::uint8_t>();
    if (left_.size() < size) {
      good_ = false;
      return {};
    }
    std::string out(left_.substr(0, size));
    left_.remove_prefix(size);
    return out;
  }
  bool good() const { return good_ && left_.empty(); }

 private:
  std::string_view left_;
  bool good_ = true;
};

void write(Writer& out, const Join& packet) {
  out.number(packet.protocol);
  out.text(packet.session);
  out.text(packet.player);
}
void write(Writer& out, const Welcome& packet) {
  out.number(packet.slot);
}
void write(Writer& out, const Refuse& packet) {
  out.number(std::uint8_t(packet.reason));
}
void write(Writer& out, const Input& packet) {
  out.number(packet.tick);
  out.number(packet.move_x);
  out.number(packet.move_y);
  out.number(packet.aim);
  out.number(std::uint8_t(packet.fire));
}
void write(Writer& out, const Snapshot& packet) {
  out.number(packet.tick);
  out.number(std::uint8_t(packet.players.size()));
  for (const Snapshot::Player& player : packet.players) {
    out.number(player.x);
    out.number(player.y);
    out.number(player.health);
    out.number(player.score);
  }
}
void write(Writer& out, const End& packet) {
  out.number(std::uint8_t(packet.scores.size()));
  for (const std::uint16_t score : packet.scores) out.number(score);
}
void write(Writer&, const Leave&) {}

Join read_join(Reader& in) {
  Join join;
  join.protocol = in.number<std::uint16_t>();
  join.session = in.text();
  join.player = in.text();
  return join;
}

Input read_input(Reader& in) {
  Input input;
  input.tick = in.number<std::uint32_t>();
  input.move_x = in.number<std::int8_t>();
  input.move_y = in.number<std::int8_t>();
  input.aim = in.number<std::uint16_t>();
  input.fire = in.number<std::uint8_t>() != 0;
  return input;
}

Snapshot read_snapshot(Reader& in) {
  Snapshot snapshot{.tick = in.number<std::uint32_t>()};
  snapshot.players.resize(in.number<std::uint8_t>());
  for (Snapshot::Player& player : snapshot.players) {
    player.x = in.number<std::uint16_t>();
    player.y = in.number<std::uint16_t>();
    player.health = in.number<std::uint8_t>();
    player.score = in.number<std::uint16_t>();
  }
  return snapshot;
}

End read_end(Reader& in) {
  End end;
  end.scores.resize(in.number<std::uint8_t>());
  for (std::uint16_t& score : end.scores) score = in.number<std::uint16_t>();
  return end;
}

}  // namespace

std::string encode(const Packet& packet) {
  Writer out;
  out.number(std::uint8_t(packet.index()));
  std::visit([&](const auto& one) { write(out, one); }, packet);
  return std::move(out.out);
}

std::optional<Packet> decode(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  Reader in(bytes.substr(kMagic.size()));
  std::optional<Packet> packet;
  switch (in.number<std::uint8_t>()) {
    case 0:
      packet = read_join(in);
      break;
    case 1:
      packet = Welcome{in.number<std::uint8_t>()};
      break;
    case 2:
      packet = Refuse{RefuseReason(in.number<std::uint8_t>())};
      break;
    case 3:
      packet = read_input(in);
      break;
    case 4:
      packet = read_snapshot(in);
      break;
    case 5:
      packet = read_end(in);
      break;
    case 6:
      packet = Leave{};
      break;
    default:
      return std::nullopt;
  }
  if (!in.good()) return std::nullopt;
  return packet;
}

}  // namespace arena
