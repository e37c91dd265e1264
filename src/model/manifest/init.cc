// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/init.h"

namespace showcaller {
namespace {

constexpr std::string_view kTeam = R"(# People who own things. Check it with `showcaller validate`.
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: NAME }
spec:
  members: []                            # account names
  escalation: []                         # who is called next: teams or members, in order
  escalate_after: [10m]                  # waits before each of them
  contacts: {}                           # name: how to reach
  # rota: { zone: Europe/Berlin, starts: 2026-12-07T09:00, every: week, people: [ann, bob] }
  routes: []                             # - { name: chat, type: slack, url_secret: our-chat }
)";

constexpr std::string_view kPolicy =
    R"(# What may happen, who says so, and when exposure does not grow. Moves toward safety are never held back.
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: NAME, owner: OWNER }
spec:
  mode: audit                            # log what would be refused; then: enforce
  roles:
    - { name: operator, verbs: [apply, hold, resume, promote, rollback, cancel, read] }
    - { name: lead, verbs: ["*"] }
  approvals:
    - { name: high-risk, when: { risk: [high] }, count: 1, roles: [lead], valid_for: 72h }
    - { name: no-way-back, when: { irreversible: true }, count: 2, roles: [lead] }
  # freezes:
  #   - { name: new-year, from: 2026-12-31T12:00:00Z, to: 2027-01-02T06:00:00Z, reason: Fewer people are at their desks. }
  # quotas:
  #   - { name: at-once, events_active: 20 }
)";

constexpr std::string_view kMetric = R"(# Something measured that gates judge.
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: NAME, owner: OWNER }
spec:
  type: binary                           # binary, count, rate, quantile
  better: lower                          # or higher
  unit: 1                                # ms for times
  trust: server                          # server, probe, client: client evidence alone may only hold
  source: sdk                            # what game servers and clients report
)";

constexpr std::string_view kService = R"(# Something players use, and what they may expect of it.
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: NAME, owner: OWNER }
spec:
  # url: http://127.0.0.1:8090/          # base of the actions of events
  slos:
    - { name: sessions-survive, metric: session.crashed, objective: 99.9%, window: 28d }
  # fleets: [NAME]                       # whose sessions they are about; all without it
  # runbook: runbooks/NAME.md
  probes: []                             # synthetic journeys through it
  depends_on: []
  degradation_order: []                  # its features, the least important first
)";

constexpr std::string_view kFleet = R"(# Game servers of one purpose.
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: NAME, owner: OWNER }
spec:
  driver: process                        # instances are processes on this machine
  base: 1.0.0                            # the build outside of any event
  builds:
    - version: 1.0.0
      command: [./game-server]           # a program and its arguments; no shell
      protocols: []                      # client protocols it speaks; empty: any
  regions:
    - { name: local, zone: UTC }         # the time zone of its players
  capacity: { min: 1, max: 10, buffer: 1 }
  session: { length_max: 1h }            # bounds how long a drain takes
)";

constexpr std::string_view kFlag = R"(# A flag in flagd's definition language.
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: NAME, owner: OWNER }
spec:
  state: ENABLED
  variants: { "on": true, "off": false }
  defaultVariant: "off"
  # targeting: { if: [ { in: [ { var: account.group }, [staff] ] }, "on" ] }
  visibility: server                     # client: clients may see its value
)";

constexpr std::string_view kPipeline =
    R"(# A rollout with its gates, to be used by events: `pipeline: { name: NAME, with: { share: 2% } }`.
apiVersion: showcaller.dev/v1
kind: Pipeline
metadata: { name: NAME, owner: OWNER }
spec:
  parameters:
    share: 1%                            # the default; null: has to be given
  template:
    rollout:
      stages:
        - { name: canary, exposure: "${share}", bake: 30m }
        - { name: early,  exposure: 10%, bake: 2h }
        - { name: world,  exposure: 100% }
    gates:
      - { metric: session.crashed, worse_by_at_most: 10%, must_detect: 2x, on_fail: rollback }
    on_thin: hold
)";

constexpr std::string_view kLiveEvent =
    R"(# The flag that the event opens. Take it out when yours exists already, and name yours below.
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: NAME, owner: OWNER }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "off"                  # what everybody gets outside of the event
---
# A change to the live game. Only `changes` is required; `showcaller plan` shows what the rest stands for.
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: NAME, owner: OWNER }
spec:
  # schedule:
  #   zone: Europe/Berlin                # or local: each region's own time
  #   start: 2026-12-18T18:00            # absent: as soon as it is ready and proven
  #   end:   2027-01-05T18:00            # closes intake even while held
  risk: normal                           # low, normal, high
  changes:                               # applied and undone together
    - flag: { key: NAME, to: "on" }
    # - build:  { fleet: my-fleet, version: 1.1.0 }
    # - config: { document: my-config, version: 1, value: { answer: 42 } }
  rollout:
    unit: player                         # party, guild, match
    stages:
      - { name: canary, exposure: 1%, bake: 30m }
      - { name: early,  exposure: 10%, bake: 2h }
      - { name: world,  exposure: 100% }
  gates:
    - { metric: session.crashed, worse_by_at_most: 10%, must_detect: 2x, on_fail: rollback }
  on_thin: hold                          # hold, ask, widen: never ship
  rollback: { sessions: { drain: 45m, then: leave } }
)";

constexpr std::string_view kDrill =
    R"(# An incident that is rehearsed: faults at their times, and what is expected of whom they meet.
# `showcaller drill run` plays it in the simulator, beside the manifests of the event.
apiVersion: showcaller.dev/v1
kind: Drill
metadata: { name: NAME, owner: OWNER }
spec:
  event: my-event                        # whose rollout is played
  # fleet: my-staging-fleet              # for `--against SERVER`: a fleet labelled `stage: staging`
  # population: { players: 6000 }        # who plays, docs/rehearse.md; absent: as the fleets suggest
  injects:                               # `at` counts from the first players let in
    - { name: bad-matches, at: 5m, fault: { kind: crashes, size: 5 } }
  expect:
    - { that: rollback,  within: 15m, after: bad-matches }
    - { that: recovered, within: 90m, after: bad-matches }
  stop_when:                             # any of them ends the drill
    - { players_harmed_over: 2000 }
    - { lasts_over: 4h }
)";

constexpr std::string_view kProbe =
    R"(# A synthetic player's journey, made again and again. Readiness asks for it by name, gates judge
# `probe.NAME` (failed journeys) and `probe.NAME.latency`.
apiVersion: showcaller.dev/v1
kind: Probe
metadata: { name: NAME, owner: OWNER }
spec:
  # service: my-service                  # paths lie below its `url`
  every: 30s
  timeout: 10s                           # of the whole journey
  failures: 2                            # so many in a row, and it is not ready
  # regions: [eu]                        # made by `showcaller probe run --region eu`
  steps:                                 # http, tcp, udp, grpc or script; one each
    - name: enter
      http: { method: POST, url: "http://127.0.0.1:8080/enter", body: "{}" }
      expect: { status: [200], within: 500ms }
      keep: { session: /session }        # a JSON pointer into the answer
    - name: play
      http: { url: "http://127.0.0.1:8080/sessions/${session}" }
      expect: { json: { /state: playing } }
)";

constexpr std::string_view kExclusionGroup =
    R"(# Events and flags of one group never touch one player.
apiVersion: showcaller.dev/v1
kind: ExclusionGroup
metadata: { name: NAME, owner: OWNER }
spec:
  unit: player                           # party, guild or match: that all its members go by
  # holdout: 5%                          # players that no member ever touches
)";

constexpr std::string_view kHoldout =
    R"(# Players that no event touches, for as long as this stands.
apiVersion: showcaller.dev/v1
kind: Holdout
metadata: { name: NAME, owner: OWNER }
spec:
  share: 5%
  # owners: [team-raids]                 # of their events alone; absent: of all
)";

constexpr std::string_view kConfig =
    R"(# A document of configuration, served as the object flag config.NAME.
apiVersion: showcaller.dev/v1
kind: Config
metadata: { name: NAME, owner: OWNER }
spec:
  version: 1                             # another content, another version
  schema:                                # JSON Schema, draft 7
    type: object
    required: [drops]
    properties: { drops: { type: array, items: { type: string } } }
  value:
    drops: [sword, shield]
)";

std::string_view text_of(Kind kind) {
  switch (kind) {
    case Kind::Team:
      return kTeam;
    case Kind::Policy:
      return kPolicy;
    case Kind::Metric:
      return kMetric;
    case Kind::Service:
      return kService;
    case Kind::Fleet:
      return kFleet;
    case Kind::Flag:
      return kFlag;
    case Kind::Pipeline:
      return kPipeline;
    case Kind::Drill:
      return kDrill;
    case Kind::Probe:
      return kProbe;
    case Kind::ExclusionGroup:
      return kExclusionGroup;
    case Kind::Holdout:
      return kHoldout;
    case Kind::Config:
      return kConfig;
    case Kind::LiveEvent:
      break;
  }
  return kLiveEvent;
}

void replace(std::string* text, std::string_view word, std::string_view by) {
  for (std::size_t at = 0; (at = text->find(word, at)) != std::string::npos; at += by.size())
    text->replace(at, word.size(), by);
}

}  // namespace

std::string init_manifest(Kind kind, std::string_view name, std::string_view owner) {
  std::string text(text_of(kind));
  replace(&text, "NAME", name);
  replace(&text, "OWNER", owner);
  return text;
}

}  // namespace showcaller
