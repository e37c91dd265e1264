// SPDX-License-Identifier: Apache-2.0
// The shapes of the API's answers that the console reads. tests/console/shapes.mjs holds them against a real server.
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
  document: { metadata: { name: string; owner?: string }; spec: Record<string, unknown> }
}
// A row of GET /api/v1/flags.
export interface FlagLine {
  flag: string
  owner: string
  visibility: string
  state: 'enabled' | 'disabled' | 'killed'
  events: string[]
  killed?: { since: string; actor: string; reason: string }
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
  approvals: { event: string; owner: string; revision: number; hash: string; author: string; missing: string[]; given: { by: string; until: string }[] }[]
  expiring: { what: string; until: string; says: string }[]
  freezes: { policy: string; freeze: string; from: string; to: string; on: boolean; audit_only: boolean; owners: string[]; except_events: string[]; reason: string }[]
  findings: { event: string; says: string }[]
}
