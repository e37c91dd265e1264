// SPDX-License-Identifier: Apache-2.0
// The shapes of the API's bodies, as JSON Schema. Objects that answer may gain fields; those that
// ask may not have fields that are not named here.
#include "base/check.h"
#include "wire/openapi.h"

namespace showcaller {
namespace {

struct Schema {
  std::string_view name, text;
};

constexpr Schema kSchemas[] = {
    // clang-format off
    {"Problem", R"json({"type":"object","required":["type","title","status","code","detail"],"properties":{
  "type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},
  "code":{"enum":["invalid","not_found","conflict","forbidden","unauthenticated","limit","unavailable","corrupt","unsupported","internal"]},
  "detail":{"type":"string"},"instance":{"type":"string"},"trace":{"type":"string"},
  "remedies":{"type":"array","items":{"type":"string"}},
  "findings":{"type":"array","items":{"$ref":"#/components/schemas/Finding"}}}})json"},
    {"OfrepError", R"json({"type":"object","required":["errorCode"],"properties":{"key":{"type":"string"},
  "errorCode":{"enum":["PARSE_ERROR","TARGETING_KEY_MISSING","INVALID_CONTEXT","GENERAL","FLAG_NOT_FOUND","TYPE_MISMATCH"]},"errorDetails":{"type":"string"}}})json"},
    {"List", R"json({"type":"array","items":{"type":"object"}})json"},
    {"Finding", R"json({"type":"object","required":["severity","message"],"properties":{
  "severity":{"enum":["error","warning"]},"file":{"type":"string"},"line":{"type":"integer"},"column":{"type":"integer"},
  "path":{"type":"string"},"message":{"type":"string"},"hint":{"type":"string"}}})json"},
    {"Findings", R"json({"type":"object","required":["ok","findings"],"properties":{
  "ok":{"type":"boolean"},"findings":{"type":"array","items":{"$ref":"#/components/schemas/Finding"}}}})json"},
    {"ManifestText", R"json({"description":"Files, whose names findings tell; or one manifest. Several may also be sent as a YAML stream.",
  "anyOf":[{"type":"object","additionalProperties":false,"required":["files"],"properties":{
  "files":{"type":"array","minItems":1,"maxItems":1000,"items":{"type":"object","additionalProperties":false,
  "required":["name","text"],"properties":{"name":{"type":"string","minLength":1,"description":"As findings tell it; a name in .json is read as strict JSON, others as YAML."},
  "text":{"type":"string"}}}}}},
  {"type":"object","required":["apiVersion","kind","metadata"],"properties":{
  "apiVersion":{"const":"showcaller.dev/v1"},"kind":{"type":"string"},"metadata":{"type":"object"},"spec":{"type":"object"}}}]})json"},
    {"Receipt", R"json({"type":"object","required":["seq","repeated","notes"],"properties":{
  "seq":{"type":"integer","description":"Of the first record that the command caused; 0: nothing had to change."},
  "repeated":{"type":"boolean","description":"The key was seen before; nothing happened again."},
  "notes":{"type":"array","items":{"type":"string"}}}})json"},
    {"DryRun", R"json({"type":"object","required":["dry_run","repeated","notes","records","events"],"properties":{
  "dry_run":{"const":true},"repeated":{"type":"boolean","description":"The key was seen before; the command would have no second effect."},
  "notes":{"type":"array","items":{"type":"string"}},
  "records":{"type":"array","description":"What would be written at once, in words.","items":{"type":"object",
  "required":["kind","by","line"],"properties":{"kind":{"type":"string"},"by":{"type":"string"},"line":{"type":"string"}}}},
  "left_out":{"type":"integer","description":"Records after the first 200."},
  "events":{"type":"array","items":{"type":"object","required":["event","after"],"properties":{"event":{"type":"string"},
  "before":{"type":"object"},"after":{"type":"object"},"at_risk":{"type":"object","properties":{"says":{"type":"string"},
  "risk_lasts":{"type":"string"},"sessions_at_risk_max":{"type":"integer"},"players_at_risk_max":{"type":"integer"}}}}}},
  "touches":{"type":"object","description":"Of what is isolated.","properties":{"instances":{"type":"integer"},
  "players":{"type":"integer"},"says":{"type":"string"}}}}})json"},
    {"CommandAnswer", R"json({"anyOf":[{"$ref":"#/components/schemas/Receipt"},{"$ref":"#/components/schemas/DryRun"}]})json"},
    {"Applied", R"json({"allOf":[{"$ref":"#/components/schemas/Receipt"},{"type":"object","properties":{
  "manifests":{"type":"array","items":{"type":"object","properties":{"kind":{"type":"string"},"name":{"type":"string"},
  "hash":{"type":"string"}}}},"findings":{"type":"array","items":{"$ref":"#/components/schemas/Finding"}}}}]})json"},
    {"Plan", R"json({"type":"object","required":["ok","findings"],"properties":{
  "ok":{"type":"boolean","description":"False: the findings have errors, and there is nothing more."},
  "findings":{"type":"array","items":{"$ref":"#/components/schemas/Finding"}},
  "manifests":{"type":"array","items":{"$ref":"#/components/schemas/PlannedManifest"}},
  "problems":{"type":"array","items":{"type":"string"},"description":"What apply would refuse, and what cannot work."},
  "notes":{"type":"array","items":{"type":"string"}}}})json"},
    {"PlannedManifest", R"json({"type":"object","required":["kind","name","action","hash"],"properties":{
  "kind":{"type":"string"},"name":{"type":"string"},"owner":{"type":"string"},
  "action":{"enum":["create","change","unchanged"]},"hash":{"type":"string"},
  "server_hash":{"type":"string","description":"Of what the server has; absent: it has none of that name."},
  "changes":{"type":"array","items":{"type":"object","required":["path"],"properties":{"path":{"type":"string"},"before":{},"after":{}}}},
  "defaults":{"type":"array","items":{"type":"object","properties":{"path":{"type":"string"},"value":{"type":"string"}}}},
  "event":{"type":"object"}}})json"},
    {"Event", R"json({"type":"object","required":["name","revision","phase"],"properties":{
  "name":{"type":"string"},"revision":{"type":"integer"},"phase":{"type":"string"}}})json"},
    {"Manifest", R"json({"type":"object","required":["kind","name","document"],"properties":{
  "kind":{"type":"string"},"name":{"type":"string"},"owner":{"type":"string"},"generation":{"type":"integer"},
  "hash":{"type":"string"},"document":{"type":"object"}}})json"},
    {"Fleet", R"json({"type":"object"})json"},
    {"Status", R"json({"type":"object","properties":{"seq":{"type":"integer"},"time":{"type":"string","format":"date-time"},
  "epoch":{"type":"integer"},"version":{"type":"string"}}})json"},
    {"History", R"json({"type":"object","required":["records"],"properties":{
  "records":{"type":"array","items":{"type":"object"}},"next":{"type":["integer","null"]}}})json"},
    {"Decisions", R"json({"type":"object","required":["decisions","next"],"properties":{
  "decisions":{"type":"array","items":{"$ref":"#/components/schemas/DecisionLine"}},
  "next":{"type":["integer","null"],"description":"`before` of the next page; null: the journal's beginning, or `since`, is reached."}}})json"},
    {"DecisionLine", R"json({"type":"object","required":["seq","time","kind","what","by"],"properties":{
  "seq":{"type":"integer"},"time":{"type":"string","format":"date-time"},"kind":{"type":"string"},"what":{"type":"string"},
  "why":{"type":"string"},"by":{"type":"string"},"cause":{"type":"integer","description":"The record that led to this one."},
  "rule":{"type":"string"},"evidence":{"type":"object"},"trace":{"type":"string"},
  "subjects":{"type":"array","items":{"type":"string"}}}})json"},
    {"Decision", R"json({"type":"object","required":["decision","chain","followed"],"properties":{
  "decision":{"$ref":"#/components/schemas/DecisionLine"},
  "chain":{"type":"array","description":"What led to it, the first cause first.","items":{"$ref":"#/components/schemas/DecisionLine"}},
  "followed":{"type":"array","items":{"$ref":"#/components/schemas/DecisionLine"}},
  "version":{"type":"string","description":"Of the program that decided it; absent: too long ago to look."},"record":{"type":"object"}}})json"},
    {"Incident", R"json({"type":"object","required":["id","kind","state","subject","title","began","opened","records","suspects","similar","next_steps","actions"],"properties":{
  "id":{"type":"integer"},"kind":{"enum":["page","alert","hold","quarantine","rollback"]},"state":{"enum":["open","stuck","over","told"]},
  "subject":{"type":"string"},"title":{"type":"string"},"cause":{"type":"string"},"team":{"type":"string"},
  "began":{"type":"string","format":"date-time"},"opened":{"type":"string","format":"date-time"},"ended":{"type":"string","format":"date-time"},
  "detected_after":{"type":"string"},"detected_after_s":{"type":"number"},"recovered_after":{"type":"string"},"recovered_after_s":{"type":"number"},
  "records":{"type":"array","items":{"type":"object"}},"suspects":{"type":"array","items":{"type":"object","properties":{
  "seq":{"type":"integer"},"at":{"type":"string"},"by":{"type":"string"},"what":{"type":"string"},"score":{"type":"number"},"nearness":{"type":"number"},
  "overlap":{"type":"number"},"evidence_moved_after":{"type":"boolean"},"common":{"type":"array","items":{"type":"string"}}}}},
  "similar":{"type":"array","items":{"type":"object"}},"next_steps":{"type":"array","items":{"type":"string"}},"runbook":{"type":"string"},
  "exposed":{"type":"object"},"event":{"type":"object"},"actions":{"type":"array","items":{"type":"object"}}}})json"},
    {"RehearsalReport", R"json({"type":"object","required":["event","verdict"],"description":"As `rehearse -o json` prints it.",
  "properties":{"event":{"type":"string"},"verdict":{"type":"string"}}})json"},
    {"Rehearsal", R"json({"type":"object","required":["id","at","by","report"],"properties":{"id":{"type":"string"},
  "at":{"type":"string","format":"date-time"},"by":{"type":"string"},"report":{"$ref":"#/components/schemas/RehearsalReport"}}})json"},
    {"Published", R"json({"type":"object","required":["id"],"properties":{"id":{"type":"string"}}})json"},
    {"PolicyStanding", R"json({"type":"object","required":["verbs","roles","members","approvals","expiring","freezes","findings"],"properties":{
  "verbs":{"type":"array","items":{"type":"string"}},"roles":{"type":"array","items":{"type":"object"}},
  "members":{"type":"array","items":{"type":"object"},"description":"Who has which role that signs in by the issuer of identities."},
  "approvals":{"type":"array","items":{"type":"object"}},"expiring":{"type":"array","items":{"type":"object"}},
  "freezes":{"type":"array","items":{"type":"object"}},"findings":{"type":"array","items":{"type":"object"}}}})json"},
    {"Calendar", R"json({"type":"object","required":["now","events","freezes","conflicts","slots","zones"],"properties":{
  "now":{"type":"string","format":"date-time"},"events":{"type":"array","items":{"type":"object"}},
  "freezes":{"type":"array","items":{"type":"object"}},
  "conflicts":{"type":"array","items":{"type":"object","properties":{"kind":{"enum":["key","capacity","audience","freeze"]},
  "event":{"type":"string"},"other":{"type":"string"},"what":{"type":"string"},
  "ordered":{"type":"boolean","description":"It is said which lies on top: told, and no conflict."},
  "from":{"type":"string","format":"date-time"},"to":{"type":["string","null"]},"says":{"type":"string"}}}},
  "slots":{"type":"object","description":"By event: the next start without conflict; null: none is known.","additionalProperties":{"type":["string","null"]}},
  "zones":{"type":"object","description":"By region: its time zone.","additionalProperties":{"type":"string"}}}})json"},
    {"Evidence", R"json({"type":"object","required":["event","revision","visit","t","gates","budgets"],"properties":{
  "event":{"type":"string"},"revision":{"type":"integer"},"visit":{"type":"integer"},"live":{"type":"boolean"},
  "t":{"type":"array","items":{"type":"integer"},"description":"Seconds since the stage began; all other lists are as long."},
  "log10_threshold":{"type":["number","null"]},"why":{"type":"string"},
  "gates":{"type":"array","items":{"type":"object"}},"budgets":{"type":"array","items":{"type":"object"}}}})json"},
    {"FleetMap", R"json({"type":"object","required":["fleet","builds","regions","hosts","states","quarantines","instances"],"properties":{
  "fleet":{"type":"string"},"instances":{"type":"object","description":"Columns: names, and indexes into the lists beside them."}}})json"},
    {"FleetDemand", R"json({"type":"object","required":["fleet","basis","looks"],"properties":{
  "fleet":{"type":"string"},"basis":{"enum":["none","days","weeks"]},
  "past":{"type":"object"},"ahead":{"type":"object"},"looks":{"type":"object","description":"The last hour, a look every ten seconds, in columns."}}})json"},
    {"Explanation", R"json({"type":"object"})json"},
    {"Ledger", R"json({"type":"object"})json"},
    {"EventCommand", R"json({"type":"object","additionalProperties":false,"properties":{
  "reason":{"type":"string"},"expected_revision":{"type":"integer"}}})json"},
    {"Approval", R"json({"type":"object","additionalProperties":false,"required":["hash"],"properties":{
  "hash":{"type":"string","description":"Of the manifest that was read, as the plan and the event tell it."},
  "break_glass":{"type":"boolean","default":false,"description":"Sets approvals and freezes aside for an hour once two people did; needs a reason, and pages the owner."},
  "reason":{"type":"string"}}})json"},
    {"Pace", R"json({"type":"object","additionalProperties":false,"required":["pace_per_minute"],"properties":{
  "pace_per_minute":{"type":"integer","minimum":0},"reason":{"type":"string"},"expected_revision":{"type":"integer"}}})json"},
    {"Line", R"json({"type":"object","additionalProperties":false,"properties":{
  "scope":{"type":"string","description":"Empty: everything; owner/NAME, fleet/NAME, event/NAME."},"reason":{"type":"string"}}})json"},
    {"DrillRun", R"json({"type":"object"})json"},
    {"DrillCommand", R"json({"type":"object","additionalProperties":false,"properties":{"reason":{"type":"string"}}})json"},
    {"FlagQuestion", R"json({"type":"object","additionalProperties":false,"properties":{
  "context":{"type":"object","description":"Of whom it is asked; absent: of nobody in particular."},
  "at":{"type":"string","format":"date-time","description":"Past: from the journal; to come: from schedules. Absent: now."},
  "revision":{"type":"integer","minimum":1,"description":"Of the flag's manifest; absent: the one in force then."}}})json"},
    {"FlagAnswer", R"json({"type":"object","required":["flag","at","reason","steps"],"properties":{
  "flag":{"type":"string"},"at":{"type":"string","format":"date-time"},"seq":{"type":"integer","description":"Of the last record that was known then."},
  "revision":{"type":"integer"},"variant":{"type":"string"},"value":{},"reason":{"type":"string"},"error":{"type":"string"},
  "decided_by":{"type":"string"},"steps":{"type":"array","items":{"type":"object","properties":{
  "rule":{"type":"string"},"says":{"type":"string"}}}},
  "notes":{"type":"array","items":{"type":"string"}}}})json"},
    {"ConfigUndo", R"json({"type":"object","additionalProperties":false,"required":["to"],"properties":{
  "to":{"type":"integer","minimum":1,"description":"A version that is kept."},"reason":{"type":"string"}}})json"},
    {"ConfigVersions", R"json({"type":"object","required":["config","version","versions"],"properties":{
  "config":{"type":"string"},"version":{"type":"integer","description":"In force."},
  "versions":{"type":"array","items":{"type":"object","properties":{"version":{"type":"integer"},"hash":{"type":"string"},"value":{}}}}}})json"},
    {"StaleFlags", R"json({"type":"object","required":["evaluations","flags"],"properties":{
  "counted_since":{"type":"string","format":"date-time","description":"When the server began to count."},
  "evaluations":{"enum":["known","not known"],"description":"Whether anybody tells of any."},
  "flags":{"type":"array","items":{"type":"object","properties":{"flag":{"type":"string"},"owner":{"type":"string"},
  "evaluations":{"type":"string","description":"A number, or: not known."},"last_evaluated":{"type":"string","format":"date-time"},
  "why":{"type":"array","items":{"type":"object","properties":{
  "rule":{"enum":["never_evaluated","one_answer","owner_gone","event_over"]},"says":{"type":"string"}}}}}}}}})json"},
    {"FlagCommand", R"json({"type":"object","additionalProperties":false,"properties":{"reason":{"type":"string"}}})json"},
    {"Quarantine", R"json({"type":"object","additionalProperties":false,"required":["scope","subject"],"properties":{
  "scope":{"enum":["instance","build","host","region"]},"fleet":{"type":"string"},"subject":{"type":"string"},
  "for":{"type":"string","description":"A duration such as 1h30m; absent: until released."},"reason":{"type":"string"}}})json"},
    {"AlertCommand", R"json({"type":"object","additionalProperties":false,"properties":{"reason":{"type":"string"}}})json"},
    {"AlertOwner", R"json({"type":"object","additionalProperties":false,"properties":{
  "owner":{"type":"string","description":"Whose it is from now on; absent: whoever asks."},"reason":{"type":"string"}}})json"},
    {"FeatureCommand", R"json({"type":"object","additionalProperties":false,"properties":{"reason":{"type":"string"}}})json"},
    {"Silence", R"json({"type":"object","additionalProperties":false,"required":["subject"],"properties":{
  "subject":{"type":"string","description":"Service/NAME, Fleet/NAME or LiveEvent/NAME."},
  "event":{"type":"string","description":"Ends with this LiveEvent."},
  "for":{"type":"string","description":"A duration such as 1h30m; needed without an event."},"reason":{"type":"string"}}})json"},
    {"RouteTest", R"json({"type":"object","required":["delivered","detail"],"properties":{"delivered":{"type":"boolean"},"detail":{"type":"string"}}})json"},
    {"Objectives", R"json({"type":"array","items":{"type":"object","required":["service","slo","event","budget_left","burn"],"properties":{
  "service":{"type":"string"},"slo":{"type":"string"},"event":{"type":"string","description":"Of this event's players; empty: of everybody."},
  "metric":{"type":"string"},"objective":{"type":"number"},"window":{"type":"string"},"n":{"type":"integer"},"bad":{"type":"integer"},
  "budget_left":{"type":"number","description":"1 is whole, below 0 overdrawn."},"players_at_risk":{"type":"integer"},
  "proof":{"type":"object","description":"Of a burn above page_above, in natural logarithms: a page comes when the evidence is what is needed.","properties":{
  "above":{"type":"number"},"evidence":{"type":"number"},"needed":{"type":"number","description":"0: nobody is paged by proof."},
  "calm":{"type":"number"},"n":{"type":"integer"},"bad":{"type":"integer"},"since":{"type":"string","format":"date-time"}}},
  "burn":{"type":"array","items":{"type":"object","properties":{"over":{"type":"string"},"still":{"type":"string"},"factor":{"type":"number"},
  "then":{"enum":["page","ticket"]},"proven":{"type":"number"},"now":{"type":"number"},"n":{"type":"integer"},"bad":{"type":"integer"}}}}}}})json"},
    {"Alerts", R"json({"type":"array","items":{"$ref":"#/components/schemas/Alert"}})json"},
    {"Alert", R"json({"type":"object","required":["id","subject","cause","state","severity","opened_at","team","text"],"properties":{
  "id":{"type":"string"},"subject":{"type":"string"},
  "cause":{"enum":["rollback","rollback-stuck","held","gate","break-glass","instances","burn"]},"detail":{"type":"string"},
  "state":{"enum":["firing","acknowledged","resolved"]},"severity":{"enum":["page","ticket"]},
  "opened_at":{"type":"string","format":"date-time"},"resolved_at":{"type":"string","format":"date-time"},"resolved_reason":{"type":"string"},
  "team":{"type":"string"},"owner":{"type":"string","description":"Who is called; empty: whoever reads the team's routes."},
  "players_at_risk":{"type":"integer"},"burn":{"type":"number"},"text":{"type":"string"},
  "next_steps":{"type":"array","items":{"type":"string"}},"runbook":{"type":"string"},
  "root":{"type":"string","description":"The subject that explains the rest."},"event":{"type":"string"},"slo":{"type":"string"},
  "group":{"type":"array","items":{"type":"object","required":["subject","cause","over"],"properties":{
  "subject":{"type":"string"},"cause":{"type":"string"},"detail":{"type":"string"},"over":{"type":"boolean"}}}},
  "acknowledged_by":{"type":"string"},"acknowledged_at":{"type":"string","format":"date-time"},
  "latest":{"type":"string","description":"What was told of it since it opened."},
  "level":{"type":"integer"},"escalates_at":{"type":"string","format":"date-time"},
  "silenced_by":{"type":"string"},"absorbed_by":{"type":"string"},
  "deliveries":{"type":"array","items":{"type":"object","required":["route","change","outcome"],"properties":{
  "route":{"type":"string"},"change":{"type":"integer"},"outcome":{"enum":["delivered","dead"]},
  "attempts":{"type":"integer"},"detail":{"type":"string"},"at":{"type":"string","format":"date-time"}}}}}})json"},
    {"Service", R"json({"type":"object","required":["service","breaker","stressed","signs","withdrawn"],"properties":{
  "service":{"type":"string"},"owner":{"type":"string"},"breaker":{"enum":["closed","open","half_open"]},
  "breaker_since":{"type":"string","format":"date-time"},"breaker_reason":{"type":"string"},
  "degradation_order":{"type":"array","items":{"type":"string"},"description":"Features, the least important first."},
  "features":{"type":"array","description":"Those of them that can be withdrawn.","items":{"type":"object","properties":{
  "feature":{"type":"string"},"flag":{"type":"string"},"fallback":{"type":"string"}}}},
  "stressed":{"type":"boolean"},"stress_since":{"type":"string","format":"date-time","description":"Or since it is not."},
  "stress_reason":{"type":"string"},
  "signs":{"type":"array","description":"As they were when that last changed.","items":{"type":"object","properties":{
  "kind":{"enum":["burn","headroom","dependency"]},"subject":{"type":"string"},"level":{"type":"number"},"limit":{"type":"number"},
  "over":{"type":"boolean"},"says":{"type":"string"}}}},
  "withdrawn":{"type":"array","description":"In the order of their withdrawal.","items":{"type":"object","properties":{
  "feature":{"type":"string"},"flag":{"type":"string"},"variant":{"type":"string"},"message":{"type":"string"},
  "since":{"type":"string","format":"date-time"},"reason":{"type":"string"},
  "by":{"type":"string","description":"Who took it by hand, so that the engine does not give it back."}}}},
  "kept":{"type":"array","items":{"type":"string"},"description":"Given back by hand: the engine lets them be until this stress is over."}}})json"},
    {"ReadinessReport", R"json({"type":"object","additionalProperties":false,"required":["check"],"properties":{
  "check":{"type":"string","description":"client, bundle:ID or probe:NAME, as the event asks for it."},
  "ready":{"type":"boolean","default":true},"detail":{"type":"string","description":"What is missing, or what is there."},
  "reason":{"type":"string"}}})json"},
    {"GateProof", R"json({"type":"object","additionalProperties":false,"required":["gate","hash","method","runs","verdict"],"properties":{
  "gate":{"type":"string"},"hash":{"type":"string","description":"Of the gate's own definition as it was proven; another one is a conflict."},
  "method":{"enum":["rehearsal","backtest"]},"runs":{"type":"integer","minimum":1},
  "verdict":{"type":"string","description":"What the runs came to, for people."},"reason":{"type":"string"}}})json"},
    {"Batch", R"json({"type":"object","required":["commands"],"properties":{
  "commands":{"type":"array","minItems":1,"maxItems":1000,"items":{"$ref":"#/components/schemas/BatchCommand"}}}})json"},
    {"BatchCommand", R"json({"type":"object","required":["do"],"properties":{
  "do":{"enum":["apply","remove","approve","hold","resume","promote","step-back","rollback","cancel","retire","divert","undivert","pace","stop-line","resume-line","quarantine","release","revoke-token","ready","prove","kill-flag","reopen-flag","withdraw-feature","restore-feature","undo-config","acknowledge","own","resolve","silence","unsilence"]},
  "key":{"type":"string"},"reason":{"type":"string"}}})json"},
    {"BatchResults", R"json({"type":"object","required":["results"],"properties":{
  "results":{"type":"array","items":{"anyOf":[{"$ref":"#/components/schemas/Receipt"},{"$ref":"#/components/schemas/DryRun"},
  {"type":"object","required":["error"],"properties":{"error":{"$ref":"#/components/schemas/Problem"}}}]}}}})json"},
    {"TokenRequest", R"json({"type":"object","additionalProperties":false,"required":["name","roles"],"properties":{
  "name":{"type":"string"},"roles":{"type":"array","minItems":1,"items":{"type":"string"}},
  "expires_in":{"type":"string","description":"A duration; default 90d."},"reason":{"type":"string"}}})json"},
    {"NewToken", R"json({"type":"object","required":["id","token","expires"],"properties":{
  "id":{"type":"string"},"token":{"type":"string"},"expires":{"type":"string","format":"date-time"},"seq":{"type":"integer"}}})json"},
    {"SignIn", R"json({"type":"object","additionalProperties":false,"required":["token"],"properties":{"token":{"type":"string"}}})json"},
    {"SignInWays", R"json({"type":"object","required":["issuer","problem"],"properties":{
  "issuer":{"type":["object","null"],"required":["name","start"],"properties":{"name":{"type":"string"},"start":{"type":"string"}},"description":"Who vouches for people; null: nobody does."},
  "problem":{"type":["string","null"],"description":"Why this browser's last attempt by the issuer failed; told once."}}})json"},
    {"Health", R"json({"type":"object","required":["ok","parts"],"properties":{
  "ok":{"type":"boolean","description":"All parts are."},
  "parts":{"type":"array","items":{"type":"object","required":["name","kind","ok","detail"],"properties":{
    "name":{"type":"string"},"kind":{"enum":["journal","evidence","driver","relay"]},"ok":{"type":"boolean"},"detail":{"type":"string"},
    "at":{"type":"string","format":"date-time","description":"When it was last heard of."},
    "since":{"type":"string","format":"date-time","description":"Since when it is not ok."}}}}}})json"},
    {"Actor", R"json({"type":"object","required":["name","roles"],"properties":{
  "name":{"type":"string"},"roles":{"type":"array","items":{"type":"string"}},
  "may":{"type":"array","items":{"type":"string"},"description":"Verbs that the roles allow; asked of whoami alone."}}})json"},
    {"AllocationRequest", R"json({"type":"object","additionalProperties":false,"required":["session","fleet","players"],"properties":{
  "session":{"type":"string"},"fleet":{"type":"string"},"party":{"type":"string"},"guild":{"type":"string"},
  "players":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"context":{"type":"object"}}}},
  "region":{"type":"string"},"latency_ms":{"type":"object","additionalProperties":{"type":"integer"}},
  "protocol":{"type":"integer"},"context":{"type":"object"}}})json"},
    {"Allocation", R"json({"type":"object","required":["session","instance","address","ports"],"properties":{
  "session":{"type":"string"},"fleet":{"type":"string"},"instance":{"type":"string"},"build":{"type":"string"},
  "region":{"type":"string"},"address":{"type":"string"},"ports":{"type":"array","items":{"type":"integer"}},
  "arms":{"type":"array","items":{"type":"object"}},"repeated":{"type":"boolean"}}})json"},
    {"TelemetryBatch", R"json({"type":"object","required":["source","sequence","deltas"],"properties":{
  "source":{"type":"string"},"sequence":{"type":"integer"},"trust":{"enum":["server","probe","client"]},
  "deltas":{"type":"array","items":{"type":"object"}}}})json"},
    {"TelemetryReceipt", R"json({"type":"object","properties":{"accepted":{"type":"integer"},"repeated":{"type":"boolean"},
  "dropped":{"type":"object","additionalProperties":{"type":"integer"}},
  "ignored_fields":{"type":"array","items":{"type":"string"}},"report_every_ms":{"type":"integer"}}})json"},
    {"FlagSnapshot", R"json({"type":"object","required":["flags"],"properties":{"flags":{"type":"object"}}})json"},
    {"OfrepContext", R"json({"type":"object","properties":{"context":{"type":"object"}}})json"},
    {"OfrepEvaluation", R"json({"type":"object","properties":{"key":{"type":"string"},"reason":{"type":"string"},
  "variant":{"type":"string"},"value":{},"metadata":{"type":"object"}}})json"},
    {"OfrepBulk", R"json({"type":"object","properties":{"flags":{"type":"array","items":{"$ref":"#/components/schemas/OfrepEvaluation"}},"metadata":{"type":"object"},"eventStreams":{"type":"array","items":{"type":"object"}}}})json"},
    {"OfrepConfiguration", R"json({"type":"object"})json"},
    {"Player", R"json({"type":"object","additionalProperties":false,"required":["player"],"properties":{"player":{"type":"string"},"reason":{"type":"string"}}})json"},
    {"AdmittedRequest", R"json({"type":"object","additionalProperties":false,"required":["players"],"properties":{
  "players":{"type":"array","minItems":1,"maxItems":10000,"items":{"anyOf":[{"type":"string"},
  {"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}]}},
  "revision":{"type":"integer","description":"Absent: the present one."},"reason":{"type":"string"}}})json"},
    {"Admitted", R"json({"type":"object","required":["event","revision","asked","admitted","players"],"properties":{
  "event":{"type":"string"},"revision":{"type":"integer"},"asked":{"type":"integer"},"admitted":{"type":"integer"},
  "without_unit":{"type":"integer","description":"Players without the attribute that shares are drawn by."},
  "players":{"type":"array","items":{"type":"object","properties":{"player":{"type":"string"},"visits":{"type":"array",
  "items":{"type":"object","properties":{"visit":{"type":"integer"},"stage":{"type":"string"},
  "at":{"type":"string","format":"date-time"}}}}}}}}})json"},
    {"Readiness", R"json({"type":"object","required":["ready"],"properties":{"ready":{"type":"boolean"},
  "checks":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"ok":{"type":"boolean"},
  "detail":{"type":"string"}}}}}})json"},
    // clang-format on
};

constexpr bool each_name_is_one() {
  for (const Schema& a : kSchemas) {
    for (const Schema& b : kSchemas) {
      if (&a != &b && a.name == b.name) return false;
    }
  }
  return true;
}
static_assert(each_name_is_one());

}  // namespace

json::object api_schemas() {
  json::object schemas;
  for (const auto& [name, text] : kSchemas) {
    auto schema = parse_json(text);
    CHECK(schema && schema->is_object());  // A text of ours.
    schemas.emplace(name, *std::move(schema));
  }
  return schemas;
}

}  // namespace showcaller
