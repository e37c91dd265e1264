// SPDX-License-Identifier: Apache-2.0
// The shapes of the API's answers that the console reads. tests/console/shapes_stories.mjs holds them against a real server.
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  instance?: string
  remedies?: string[]
  trace?: string
}

export interface Actor {
  name: string
  roles: string[]
  may?: string[]
}

// How one may sign in beside with a token, and why this browser's last attempt came to nothing.
export interface SignInWays {
  issuer: { name: string; start: string } | null
  problem: string | null
}

// How the parts fare that the server rests on.
export interface HealthView {
  ok: boolean
  parts: { name: string; kind: 'journal' | 'evidence' | 'driver' | 'relay'; ok: boolean; detail: string; at?: string; since?: string }[]
}

export interface RecordView {
  seq: number
  time: string
  kind: string
  version: number
  epoch: number
  actor?: string
  cause?: number
  key?: string
  command?: number
  trace?: string
  // For people; history alone tells it.
  line?: string
  // By kind: docs/journal.md.
  payload: Record<string, unknown>
}

export interface Receipt {
  seq: number
  repeated: boolean
  notes: string[]
}

// A row of GET /api/v1/events.
export interface EventLine {
  name: string
  owner: string
  revision: number
  phase: string
  since: string
  intake: string
  stage?: string
  exposure_percent?: number
  held?: string
}

// A row of GET /api/v1/decisions.
export interface Decision {
  seq: number
  time: string
  kind: string
  what: string
  why: string
  by: string
  cause?: number
  rule?: string
  evidence?: Record<string, unknown>
  trace?: string
  subjects: string[]
}
export interface DecisionsPage {
  decisions: Decision[]
  next: number | null
}
export interface DecisionTold {
  decision: Decision
  chain: Decision[]
  followed: Decision[]
  version?: string
  record: RecordView
}

// A row of GET /api/v1/incidents.
export interface IncidentLine {
  id: number
  kind: 'page' | 'hold' | 'quarantine' | 'rollback' | 'alert'
  state: 'open' | 'stuck' | 'over' | 'told'
  subject: string
  title: string
  cause: string
  team: string
  began: string
  opened: string
  ended?: string
  detected_after: string
  detected_after_s: number
  recovered_after?: string
  recovered_after_s?: number
}
export interface SuspectLine {
  seq: number
  at: string
  by: string
  what: string
  score: number
  nearness: number
  overlap: number
  evidence_moved_after: boolean
  common: string[]
}
// GET /api/v1/alerts/{id}, and a row of GET /api/v1/alerts.
export interface AlertTold {
  id: string
  subject: string
  cause: string
  detail?: string
  state: 'firing' | 'acknowledged' | 'resolved'
  severity: 'page' | 'ticket'
  opened_at: string
  resolved_at?: string
  resolved_reason?: string
  team: string
  owner: string
  players_at_risk: number
  burn: number
  text: string
  latest?: string
  level: number
  escalates_at?: string
  acknowledged_by: string
  acknowledged_at?: string
  silenced_by: string
  absorbed_by?: string
  group: { subject: string; cause: string; detail?: string; over: boolean }[]
  deliveries: { route: string; outcome: string; attempts: number; detail: string; at: string }[]
}
// A row of GET /api/v1/alerts/dead-letters.
export interface DeadLetter {
  alert: string
  route: string
  change: number
  attempts: number
  detail: string
  at: string
}

export interface IncidentTold extends IncidentLine {
  records: { seq: number; time: string; by: string; line: string }[]
  suspects: SuspectLine[]
  similar: IncidentLine[]
  next_steps: string[]
  runbook?: string
  alert?: AlertTold
  exposed?: { revision: number; players?: number; rows?: number; sessions?: number; says: string }
  event?: EventLine
  actions: { do: string; says: string; target: string; body?: object }[]
}

export interface ManifestView {
  kind: string
  name: string
  owner: string
  generation: number
  hash: string
  document: { metadata: { name: string; owner?: string }; spec: Record<string, unknown> & { rollout?: { stages?: StageManifest[] } } } & Record<string, unknown>
}
// A row of GET /api/v1/flags.
export interface FlagLine {
  flag: string
  owner: string
  visibility: string
  state: 'enabled' | 'disabled' | 'killed' | 'withdrawn'
  events: string[]
  killed?: { since: string; actor: string; reason: string }
  withdrawn?: { since: string; service: string; feature: string; reason: string; by?: string }
}
export interface WithdrawnFeature {
  feature: string
  flag: string
  variant: string
  message: string
  since: string
  reason: string
  by?: string
}
// GET /api/v1/services/{service}, and a row of GET /api/v1/services.
export interface ServiceView {
  service: string
  owner?: string
  breaker: string
  breaker_since?: string
  breaker_reason?: string
  degradation_order?: string[]
  features?: { feature: string; flag: string; fallback: string }[]
  stressed: boolean
  stress_since?: string
  stress_reason?: string
  signs: { kind: string; subject: string; level: number; limit: number; over: boolean; says: string }[]
  withdrawn: WithdrawnFeature[]
  kept?: string[]
}
export interface FlagAnswer {
  flag: string
  at: string
  variant?: string
  value?: unknown
  reason: string
  error?: string
  decided_by?: string
  steps: { rule: string; says: string }[]
  notes?: string[]
}
export interface StaleFlags {
  counted_since?: string
  evaluations: 'known' | 'not known'
  flags: { flag: string; owner: string; evaluations: string; last_evaluated?: string; why: { rule: string; says: string }[] }[]
}
export interface ConfigVersions {
  config: string
  version: number
  versions: { version: number; hash: string; value: unknown }[]
}

// A row of GET /api/v1/drills: the last time that it was played here.
export interface DrillRun {
  drill: string
  fleet: string
  actor: string
  started: string
  until: string
  ended?: string
  verdict: string
  reason: string
  strikes?: Record<string, { fault: string; instances: string[]; at: string; until?: string }>
  report?: DrillReport
}
export interface DrillReport {
  verdict?: string
  why?: string[]
  injects?: { name: string; fault: string; at?: string; detected_after?: string; recovered_after?: string; left_out?: string }[]
  expectations?: { that: string; after: string; within: string; state: string; took?: string }[]
}

// A row of GET /api/v1/rehearsals.
export interface RehearsalLine {
  id: string
  at: string
  by: string
  event: string
  verdict: string
  runs: number
  why: string[]
}
export interface ShareOfRuns {
  count: number
  of: number
  share?: number
  at_least?: number
  at_most?: number
}
export interface Spread {
  median: number
  p99: number
  worst: number
}
export interface RehearsalReport {
  event: string
  at: string
  seed: number
  verdict: string
  why: string[]
  runs: number
  clean: { runs: number; live: ShareOfRuns; rolled_back: ShareOfRuns; held: ShareOfRuns; headroom_least?: number; sessions_refused_share?: number }
  faults: { fault: string; says: string; harms_players: boolean; runs: number; endings: Record<string, number>; caught_by: Record<string, number> }[]
  stages: { stage: string; exposure: number; lasts: string; reached_with_harm: number; harmed_players: Spread; harm_player_seconds: Spread; sessions_refused: Spread }[]
  advice: string[]
  surprises: { seed: number; fault: string; ending: string; why: string; replay?: string }[]
  violations?: string[]
}
export interface RehearsalTold {
  id: string
  at: string
  by: string
  report: RehearsalReport
}

// GET /api/v1/policy.
export interface PolicyStanding {
  verbs: string[]
  roles: { role: string; policy: string; verbs: string[]; owners: string[] }[]
  members: { role: string; policy: string; groups: string[]; people: string[] }[]
  approvals: { event: string; owner: string; revision: number; hash: string; author: string; missing: string[]; given: { by: string; until: string }[] }[]
  expiring: { what: string; until: string; says: string }[]
  freezes: { policy: string; freeze: string; from: string; to: string; on: boolean; audit_only: boolean; owners: string[]; except_events: string[]; reason: string }[]
  findings: { event: string; says: string }[]
}

// What a command would do: any command's route with ?dry_run=true.
export interface DryRun {
  dry_run: true
  repeated: boolean
  notes: string[]
  records: { kind: string; by: string; line: string }[]
  left_out?: number
  events: { event: string; before?: EventLine; after: EventLine; at_risk?: { risk_lasts: string; sessions_at_risk_max?: number; players_at_risk_max?: number; says: string } }[]
  touches?: { instances: number; players: number; says: string }
}

export interface GateStanding {
  verdict: string
  visit: number
  evidence_s?: number
  since: string
  why: string
  statistics?: Record<string, number>
}

export interface StepView {
  path: string
  state: string
  attempt: number
  changed?: string
  detail?: string
  lineage?: string
  irreversible: boolean
}

export interface ReadinessView {
  ready: boolean
  since: string
  detail?: string
}

// GET /api/v1/events/{event}.
export interface EventView {
  name: string
  owner: string
  revision: number
  phase: string
  since: string
  intake: string
  hash: string
  author: string
  reason: string
  schedule?: Record<string, string | Record<string, string>>
  hold?: { by: string; actor: string; reason: string; since: string }
  proposed?: { revision: number; hash: string; author: string }
  diverted?: boolean
  pace_per_minute?: number
  open_regions?: string[]
  stage?: {
    index: number
    of: number
    name: string
    exposure_percent: number
    since: string
    for: string
    bake_min: string
    visit: number
    widened: boolean
    sessions?: { canary: number; baseline: number }
  }
  now?: { instances: number; sessions: number; players: number }
  waits_for: string[]
  notes?: string[]
  // "" is the stage as a whole.
  gates: Record<string, GateStanding>
  steps: StepView[]
  readiness: Record<string, ReadinessView>
  approvals: { hash: string; by: string; roles: string[]; at: string; until: string }[]
  proofs?: Record<string, { gate: string; by: string; verdict: string; method: string; runs: number; at: string }>
  ledger?: { rows: number; players: number; root: string }
  trace: string
  applied_seq: number
  capacity?: ForecastView[]
}

export interface ForecastView {
  fleet: string
  basis: 'none' | 'days' | 'weeks'
  hours_known: number
  peak_sessions?: number
  peak_at?: string
  short_instances?: number
  short_at?: string
  prewarm_from?: string
  says: string
}

export interface StageManifest {
  name: string
  exposure?: string
  bake?: string | { min?: string; max?: string }
  gated?: boolean
  regions?: string[]
  audience?: unknown
}

export interface History {
  records: RecordView[]
  next: number | null
}

// A row of an explanation.
export interface ExplainedDecision {
  seq: number
  time: string
  what: string
  why: string
  by: string
  cause?: number
  trace?: string
  rule?: string
  signs?: string[]
  evidence?: { stream: string; judged_seconds: number; offset: number; hash: string; statistics: Record<string, unknown>; ticks?: unknown[]; missing?: string }
}

// GET /api/v1/explain/{event}.
export interface Explanation {
  event: string
  phase: string
  revision: number
  summary: string[]
  decisions: ExplainedDecision[]
  withdrawn?: { service: string; feature: string; flag: string; variant: string; since: string; reason: string; by: string }[]
  left_out?: number
}

type Column = (number | null)[]

// GET /api/v1/events/{event}/evidence: src/host/evidence_curve.h.
export interface Evidence {
  event: string
  revision: number
  visit: number
  live: boolean
  stream: string
  tick_s: number
  warmup_s: number
  planned_s: number
  share: number
  profile: string
  t: number[]
  log10_e: Column
  log10_threshold: number | null
  verdict: string[]
  why: string
  gates: {
    gate: string
    metric: string
    kind: string
    better: string
    worse_by_at_most: number
    must_detect: number
    at?: number
    canary: Column
    baseline: Column
    canary_n: number[]
    baseline_n: number[]
    ratio: Column
    low: Column
    high: Column
    log10_e: Column
    verdict: string[]
  }[]
  budgets: { gate: string; metric: string; at_most?: number; at_least?: number; value: Column; verdict: string[]; why: string }[]
}

export interface CalendarSpan {
  from: string
  to: string | null
}

export interface CalendarEvent extends EventLine {
  risk: string
  schedule: Record<string, string | Record<string, string>>
  zone: string
  in_force?: CalendarSpan
  rollout?: CalendarSpan
  keys?: string[]
  fleets?: string[]
  regions?: string[]
  builds?: { fleet: string; version: string }[]
}

export interface CalendarConflict {
  kind: 'key' | 'capacity' | 'audience' | 'freeze'
  event: string
  other: string
  what: string
  ordered: boolean
  from: string
  to: string | null
  says: string
}

// GET /api/v1/calendar: src/engine/calendar.h.
export interface Calendar {
  now: string
  events: CalendarEvent[]
  freezes: { name: string; policy: string; from: string; to: string; owners: string[]; except: string[]; reason: string; audit_only: boolean }[]
  conflicts: CalendarConflict[]
  slots: Record<string, string | null>
  zones: Record<string, string>
}

export interface BuildRow {
  build: string
  region: string
  desired: number
  starting: number
  ready: number
  allocated: number
  draining: number
  unhealthy: number
  quarantined: number
  sessions: number
  free_sessions: number
  draining_sessions: number
}

// GET /api/v1/fleets/{fleet}.
export interface FleetView {
  name: string
  base: string
  driver: string
  headroom_percent: number
  forecast: ForecastView
  total: BuildRow
  builds: BuildRow[]
}

// GET /api/v1/fleets/{fleet}/map: src/engine/fleet_map.h. Columns, all as long as `id`.
export interface FleetMap {
  fleet: string
  builds: string[]
  regions: string[]
  hosts: string[]
  states: string[]
  quarantines: { scope: string; subject: string; reason: string; since: string; until?: string }[]
  instances: {
    id: string[]
    build: number[]
    region: number[]
    host: number[]
    state: number[]
    sessions: number[]
    players: number[]
    quarantine: number[]
  }
}

// GET /api/v1/fleets/{fleet}/demand.
export interface FleetDemand extends ForecastView {
  from?: string
  past?: Record<string, Column>
  ahead?: Record<string, Column>
  instances_max?: Record<string, number>
  sessions_per_instance?: number
  looks: {
    at: number[]
    ready: number[]
    allocated: number[]
    starting: number[]
    draining: number[]
    unhealthy: number[]
    quarantined: number[]
    sessions: number[]
    headroom_percent: number[]
  }
}
