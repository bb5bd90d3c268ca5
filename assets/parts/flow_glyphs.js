// The shapes of the flow view. Every kind of event differs in shape, not in colour alone.

import { svg } from "./flow_dom.js";
import { wentWrong } from "./flow_model.js";

// Marks on the event lanes, drawn around 0,0.
export const GLYPHS = {
  outside: "M0-5.5A5.5 5.5 0 1 1 0 5.5 5.5 5.5 0 1 1 0-5.5z",
  outsideerror: "M0-5.5A5.5 5.5 0 1 1 0 5.5 5.5 5.5 0 1 1 0-5.5zM-2.5-2.5l5 5m0-5l-5 5",
  deployed: "M-4.5-5.5h9v11h-9zM-4.5-1.5h9",
  notification: "M0-6.5L6.5 0 0 6.5-6.5 0z",
  queued: "M-5-5h10v10h-10zM-2-1.5h4M-2 1.5h4",
  retry: "M4.6-2.9A5.4 5.4 0 1 0 5.4 1M5.6-6.2v4h-4",
  throttled: "M-4.5-4.5l9 9m0-9l-9 9",
  dropped: "M0-5.5A5.5 5.5 0 1 1 0 5.5 5.5 5.5 0 1 1 0-5.5zM-3.8-3.8l7.6 7.6",
  batch: "M-6-3h9v8h-9zM-3-3v-2.5h9V2.5H3",
  batchdone: "M-5 0l3.5 4L5.5-4.5",
  batchfailed: "M-6-3h9v8h-9zM-3-3v-2.5h9V2.5H3M-3.7-.6l4.4 4m0-4l-4.4 4",
  dead: "M-6-4.5h12L0 6z",
  other: "M0-3.5A3.5 3.5 0 1 1 0 3.5 3.5 3.5 0 1 1 0-3.5z",
};

// How an INIT or INVOKE ended, in a 10 x 10 box.
export const STATUS_ICONS = {
  success: "M1 5.5l3 3L9 2",
  error: "M1.5 1.5l7 7m0-7l-7 7",
  timeout: "M5 .5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 1 1 0-9zM5 2.5V5l2 1.5",
  crash: "M6 0L1.5 6H5L4 10 8.5 4H5z",
  initfailed: "M1.5 1.5l7 7m0-7l-7 7",
};

const SHAPES = {
  deployed: "deployed",
  "s3.notification": "notification",
  "sns.notification": "notification",
  "sns.failed": "dropped",
  "event.queued": "queued",
  "retry.scheduled": "retry",
  "invocation.throttled": "throttled",
  "event.dropped": "dropped",
  "batch.received": "batch",
  "batch.deleted": "batchdone",
  "batch.failed": "batchfailed",
  "message.dead": "dead",
  "stream.batch": "batch",
  "stream.checkpoint": "batchdone",
  "stream.failed": "batchfailed",
  "stream.discarded": "dropped",
  "schedule.fired": "notification",
  "schedule.failed": "dropped",
};

/** Name the shape of a record on the lanes. */
export function glyphOf(record) {
  if (record.kind !== "api.call") return SHAPES[record.kind] ?? "other";
  const inside = String(record.detail.by ?? "").startsWith("environment:");
  if (wentWrong(record)) return inside ? "callerror" : "outsideerror";
  return inside ? "call" : "outside";
}

/** Hatches, one per way to end, over the colour of the bar. */
export function PATTERNS() {
  const hatch = (name, d, size = 8) =>
    svg(
      "pattern",
      { id: `hatch-${name}`, width: size, height: size, patternUnits: "userSpaceOnUse" },
      svg("path", { d, class: "hatchline" }),
    );
  return [
    hatch("init", "M-2 2L2-2M0 8L8 0M6 10l4-4"),
    hatch("initfailed", "M0 0l8 8M0 8L8 0"),
    hatch("error", "M0 0l8 8M0 8L8 0"),
    hatch("timeout", "M2 0V8"),
    hatch("crash", "M0 2H8", 4),
  ];
}
