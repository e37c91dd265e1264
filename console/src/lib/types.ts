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
