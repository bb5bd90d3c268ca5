// What is known of a cloud: its records, who caused whom, and the lanes that they make. Knows nothing of pixels.

import { environmentLabel, split } from "./flow_text.js";

// Lanes read from top to bottom as causes read: someone calls, a service notices, Lambda queues, an environment runs.
const ORDER = { outside: 0, s3: 1, other: 2, sqs: 3, lambda: 4, environment: 5 };

export class Model {
  constructor() {
    this.records = [];
    this.times = [];
    this.busy = []; // how many INITs and INVOKEs are under way after each record
    this.byId = new Map();
    this.children = new Map();
    this.roots = new Map(); // record id -> id of the stimulus that it goes back to
    this.stimuli = []; // ids of the records without a cause that led to something
    this.trouble = new Set(); // ids of records that went wrong, and of everything that led to them
    this.lanes = new Map();
    this.waiting = new Map(); // request id -> what it waits for on Lambda's lane
    this.inFlight = new Map(); // message id -> what happens to it on the queue's lane
    this.running = 0;
    this.version = 0;
  }

  get lastId() {
    return this.records.length ? this.records[this.records.length - 1].id : 0;
  }

  /** How many records had happened at `t`. */
  upTo(t) {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Position of a record in the order of events. */
  indexOf(id) {
    let low = 0;
    let high = this.records.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.records[middle].id < id) low = middle + 1;
      else high = middle;
    }
    return this.records[low]?.id === id ? low : -1;
  }

  /** Take records in; ids already known are passed over, so a repeated batch does no harm. */
  add(records) {
    let added = 0;
    for (const given of records) {
      if (given.id <= this.lastId) continue;
      const record = { ...given, detail: given.detail ?? {}, measured: given.measured ?? {} };
      record.t = Math.max(record.t, this.times[this.times.length - 1] ?? record.t);
      this.records.push(record);
      this.times.push(record.t);
      this.byId.set(record.id, record);
      this.relate(record);
      this.place(record);
      this.busy.push(this.running);
      added += 1;
    }
    if (added) this.version += 1;
    return added;
  }

  relate(record) {
    const root = this.roots.get(record.cause);
    if (root === undefined) {
      this.roots.set(record.id, record.id);
    } else {
      this.roots.set(record.id, root);
      const siblings = this.children.get(record.cause);
      if (siblings) siblings.push(record.id);
      else this.children.set(record.cause, [record.id]);
      if (record.cause === root && !siblings) {
        let at = this.stimuli.length;
        while (at && this.stimuli[at - 1] > root) at -= 1;
        this.stimuli.splice(at, 0, root);
      }
    }
    if (wentWrong(record)) {
      for (let id = record.id; id !== undefined && !this.trouble.has(id); id = this.byId.get(id)?.cause ?? undefined) {
        this.trouble.add(id);
      }
    }
  }

  lane(kind, name, t) {
    const id = `${kind}:${name}`;
    let lane = this.lanes.get(id);
    if (!lane) {
      lane = { id, kind, name, first: t, last: null, spans: [], marks: [], calls: [], open: {} };
      if (kind === "environment") lane.label = environmentLabel(name);
      this.lanes.set(id, lane);
      this.sorted = undefined;
    }
    return lane;
  }

  /** The lanes from top to bottom. */
  rows() {
    const group = (lane) => (lane.kind === "environment" ? lane.name.slice(0, lane.name.lastIndexOf("/")) : "");
    if (!this.sorted) {
      const groups = [...new Set([...this.lanes.values()].map(group))];
      this.sorted = [...this.lanes.values()].sort(
        (a, b) => ORDER[a.kind] - ORDER[b.kind] || groups.indexOf(group(a)) - groups.indexOf(group(b)),
      );
    }
    return this.sorted;
  }

  /** The lane on which a record is drawn. */
  laneOf(record) {
    const [service, name] = split(record.resource);
    if (record.kind === "api.call") {
      const by = String(record.detail.by ?? "");
      return by.startsWith("environment:")
        ? this.lane("environment", by.slice("environment:".length), record.t)
        : this.lane("outside", "", record.t);
    }
    if (record.kind === "deployed") return this.lane("outside", "", record.t);
    if (service === "environment" || service === "lambda" || service === "sqs") return this.lane(service, name, record.t);
    return service === "s3" ? this.lane("s3", "", record.t) : this.lane("other", service, record.t);
  }

  place(record) {
    const lane = this.laneOf(record);
    const { kind, detail } = record;
    if (lane.kind === "environment") {
      this.live(lane, record);
      return;
    }
    lane.marks.push(record);
    const request = detail.request_id;
    if (kind === "event.queued" || kind === "retry.scheduled") {
      this.settle(this.waiting, request, record);
      this.waiting.set(request, this.span(lane, kind === "event.queued" ? "queued" : "retry", record));
    } else if (kind === "event.dropped") {
      this.settle(this.waiting, request, record);
    } else if (kind === "batch.received" || kind === "batch.failed") {
      const type = kind === "batch.received" ? "flight" : "hidden";
      const span = this.span(lane, type, record);
      if (type === "hidden" && detail.visible_after_s !== undefined) span.until = record.t + detail.visible_after_s * 1e9;
      for (const message of ids(detail.messages)) {
        this.settle(this.inFlight, message, record);
        this.inFlight.set(message, span);
      }
    } else if (kind === "batch.deleted" || kind === "message.dead") {
      for (const message of ids(detail.messages ?? [detail.id])) this.settle(this.inFlight, message, record);
    }
  }

  /** Follow the life of one execution environment. */
  live(lane, record) {
    const { kind, detail } = record;
    if (kind === "api.call") lane.calls.push(record);
    else if (kind === "environment.frozen") lane.open.frozen ??= this.span(lane, "frozen", record);
    else if (kind === "init.started") this.start(lane, "init", record);
    else if (kind === "init.ended") this.stop(lane, "init", record, detail.status);
    else if (kind === "invocation.started") {
      this.settle(this.waiting, detail.request_id, record);
      this.close(lane, "frozen", record);
      this.start(lane, "invoke", record);
    } else if (kind === "invocation.ended") this.stop(lane, "invoke", record, detail.status);
    else if (kind === "environment.ended") {
      this.close(lane, "frozen", record);
      for (const type of ["init", "invoke"]) this.stop(lane, type, record, detail.reason === "timeout" ? "timeout" : "crash");
      lane.last = record;
    }
  }

  start(lane, type, record) {
    this.stop(lane, type, record, "crash");
    lane.open[type] = this.span(lane, type, record);
    this.running += 1;
  }

  stop(lane, type, record, status) {
    if (!lane.open[type]) return;
    lane.open[type].status = status;
    this.close(lane, type, record);
    this.running -= 1;
  }

  close(lane, type, record) {
    const span = lane.open[type];
    if (!span) return;
    span.end = record;
    lane.open[type] = undefined;
  }

  span(lane, type, record) {
    const span = { type, start: record, end: null, status: null };
    lane.spans.push(span);
    return span;
  }

  settle(pending, key, record) {
    const span = pending.get(key);
    if (!span) return;
    span.end ??= record;
    pending.delete(key);
  }
}

const WRONG = new Set([
  "invocation.throttled",
  "event.dropped",
  "batch.failed",
  "message.dead",
  "stream.failed",
  "stream.discarded",
  "schedule.failed",
]);

/** Whether a record tells of something that failed. */
export function wentWrong(record) {
  const { kind, detail } = record;
  if (kind === "api.call") return detail.error !== null && detail.error !== undefined;
  if (kind === "init.ended" || kind === "invocation.ended") return detail.status !== "success";
  if (kind === "http.response") return detail.status >= 500;
  return WRONG.has(kind);
}

function ids(messages) {
  return (messages ?? []).map((message) => message?.id ?? message);
}
