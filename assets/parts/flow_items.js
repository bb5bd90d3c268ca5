// What lies on the lanes: bars of INIT and INVOKE, waits, marks, pins, connectors, and the ring around what is selected.

import { roughWidth } from "./flow_dom.js";
import { GLYPHS, glyphOf, STATUS_ICONS } from "./flow_glyphs.js";

const BAR = 20;
const CROWDED = 3e-8; // px per ns below which single calls would only be noise
const LINKS = 400; // connectors drawn for one stimulus at most

/** The half of the lanes that draws records; flow_lanes.js gives it the view, the layers and the place of each row. */
export class Items {
  drawSpans(row, from, to) {
    const { view } = this;
    const { lane, middle } = row;
    const known = (record) => record && record.id <= view.until;
    if (lane.kind === "environment") {
      const end = known(lane.last) ? lane.last.t : view.cursor;
      const [x, stop] = [Math.max(this.x(lane.first), -20), Math.min(this.x(end), this.width + 20)];
      this.layers.life.put(`life${lane.id}`, "path", { d: `M${x} ${middle}H${Math.max(stop, x)}`, class: "life" });
      if (known(lane.last)) {
        this.seen.add("ended");
        this.layers.marks.put(`end${lane.id}`, "path", { d: `M${this.x(end)} ${middle - 8}v16m-4-16h4m-4 16h4`, class: "endcap", "data-id": lane.last.id });
      }
    }
    let last = { x: -1e9, class: "" };
    for (const span of lane.spans) {
      if (span.start.t > to || span.start.id > view.until) break;
      const ended = known(span.end);
      const until = ended ? span.end.t : Math.min(span.until ?? Infinity, view.cursor);
      if (until < from) continue;
      const x = Math.max(this.x(span.start.t), -50);
      const end = Math.min(this.x(until), this.width + 50);
      if (span.type === "init" || span.type === "invoke") {
        const class_ = span.type === "init" ? initClass(span, ended) : ended ? span.status ?? "success" : "running";
        // Bars closer than a pixel would only pile up; what went wrong is never left out.
        if (end - last.x < 1.5 && class_ === last.class && span.start.id !== view.selected) continue;
        last = { x: Math.max(end, x + 3), class: class_ };
        this.drawBar(span, ended, class_, x, end, middle);
      } else if (end - x >= 1 || span.start.t >= to) {
        this.seen.add(span.type === "flight" ? "batch" : span.type === "hidden" ? "retry" : span.type);
        this.layers.life.put(`span${span.start.id}${span.type}`, "path", { d: `M${x} ${middle}H${Math.max(end, x)}`, class: `span ${span.type}` });
        this.drawWait(span, x, end, middle, until);
        if (span.type === "retry") {
          this.link(view.model.byId.get(span.start.cause), span.start, from, to);
          if (ended) this.link(span.start, span.end, from, to);
        }
      }
    }
  }

  drawWait(span, x, end, middle, until) {
    if (span.type !== "retry" && span.type !== "hidden") return;
    const label = this.view.book.duration(Math.round((until - span.start.t) / 1e8) * 100);
    if (end - x < roughWidth(label, 11) + 10) return;
    const center = (Math.max(x, this.left) + Math.min(end, this.width)) / 2;
    this.layers.texts.put(`wait${span.start.id}`, "text", { x: center, y: middle - 6, class: "wait" }, label);
  }

  drawBar(span, ended, class_, x, end, middle) {
    const { view } = this;
    const id = ended ? span.end.id : span.start.id;
    const width = Math.max(end - x, 3);
    const y = middle - BAR / 2;
    const key = span.start.id;
    this.seen.add(class_);
    this.layers.bars.put(`bar${key}`, "rect", { x, y, width, height: BAR, rx: Math.min(3, width / 2), class: `bar ${class_}`, "data-id": id });
    if (class_ !== "success" && class_ !== "running") {
      this.layers.bars.put(`hatch${key}`, "rect", { x, y, width, height: BAR, rx: Math.min(3, width / 2), class: "hatch", fill: `url(#hatch-${class_})` });
    }
    const shape = STATUS_ICONS[class_];
    const from = Math.max(x, this.left) + 5;
    const space = Math.min(end, this.width) - from;
    const time = ended ? view.book.duration(span.end.detail.duration_ms ?? (span.end.t - span.start.t) / 1e6) : "";
    const words = span.type === "init" ? ["INIT", time] : [time];
    const label = [words.join(" ").trim(), words[0]].find((each) => each && roughWidth(each, 11.5) + (shape ? 16 : 0) + 4 <= space);
    if (shape && (space >= 14 || class_ !== "success")) {
      const inside = space >= 14;
      this.layers.texts.put(`icon${key}`, "path", {
        d: shape,
        transform: inside ? `translate(${from.toFixed(1)} ${middle - 5})` : `translate(${(x + width / 2 - 4).toFixed(1)} ${y - 10}) scale(.8)`,
        class: `status ${class_} ${inside ? "inside" : "above"}`,
      });
    }
    if (label) this.layers.texts.put(`text${key}`, "text", { x: from + (shape ? 15 : 0), y: middle + 4, class: `inbar ${class_}` }, label);
  }

  /** Calls of the learner's code hang as pins under the bar in which they happened. */
  drawCalls({ lane, middle }, from, to) {
    const crowded = this.view.axis.scale < CROWDED;
    let last = -1e9;
    for (const record of lane.calls) {
      if (record.t > to || record.id > this.view.until) break;
      if (record.t < from) continue;
      const x = this.x(record.t);
      const failed = glyphOf(record) === "callerror";
      if ((crowded || x - last < 5) && !failed && record.id !== this.view.selected) continue;
      last = x;
      this.seen.add(failed ? "callerror" : "call");
      const d = `M${x.toFixed(1)} ${middle + BAR / 2}v4${failed ? "m-3 1l6 6m-6 0l6-6" : ""}`;
      this.layers.marks.put(`pin${record.id}`, "path", { d, class: failed ? "pin callerror" : "pin" });
      this.layers.marks.put(`head${record.id}`, "circle", { cx: x, cy: middle + BAR / 2 + (failed ? 8 : 6.5), r: failed ? 5 : 2.6, class: failed ? "pinhit" : "pinhead", "data-id": record.id });
    }
  }

  drawMarks({ lane, middle }, from, to) {
    let group = null;
    const flush = (next = Infinity) => {
      if (group && group.count > 1 && next - group.x > 30) {
        this.layers.texts.put(`count${group.id}`, "text", { x: group.x + 8, y: middle - 5, class: "count" }, `×${group.count}`);
      }
    };
    for (const record of lane.marks) {
      if (record.t > to || record.id > this.view.until) break;
      if (record.t < from) continue;
      const x = this.x(record.t);
      const shape = glyphOf(record);
      // The deployment stands aside where the first call comes right after it.
      if (shape === "deployed" && lane.marks.length > 1 && this.x(lane.marks[1].t) - x < 14 && record.id !== this.view.selected) continue;
      if (group && group.shape === shape && x - group.x < 12 && record.id !== this.view.selected) {
        group.count += 1;
        continue;
      }
      flush(x);
      group = { id: record.id, x, shape, count: 1 };
      this.seen.add(shape);
      this.layers.marks.put(`mark${record.id}`, "path", { d: GLYPHS[shape], transform: `translate(${x.toFixed(1)} ${middle})`, class: `mark ${shape}`, "data-id": record.id });
    }
    flush();
  }

  place(record) {
    const { view } = this;
    const row = this.rowOf.get(view.model.laneOf(record).id);
    return row && { x: this.x(record.t), y: row.middle, bar: row.lane.kind === "environment" };
  }

  /** Connect causes to effects for the stimulus in view, and every failed attempt to its retry. */
  drawLinks() {
    const { model, root, until } = this.view;
    const from = this.view.axis.t(this.scrollX);
    const to = this.view.axis.t(this.scrollX + this.width);
    const queue = root ? [root] : [];
    for (let at = 0; at < queue.length && at < LINKS; at += 1) {
      for (const id of model.children.get(queue[at]) ?? []) {
        if (id > until) break;
        queue.push(id);
        this.link(model.byId.get(queue[at]), model.byId.get(id), from, to);
      }
    }
  }

  link(cause, effect, from, to) {
    if (!cause || effect.t < from || cause.t > to) return;
    const [start, end] = [this.place(cause), this.place(effect)];
    if (!start || !end || start.y === end.y) return;
    const down = end.y > start.y ? 1 : -1;
    const waited = cause.kind === "event.queued" || cause.kind === "retry.scheduled" || cause.kind === "batch.received";
    const x1 = waited ? end.x : start.x;
    const y1 = start.y + down * (waited ? 3 : start.bar ? BAR / 2 + 2 : 7);
    const y2 = end.y - down * (end.bar ? BAR / 2 + 1 : 7);
    const turn = Math.min(6, Math.abs(end.x - x1), Math.abs(y2 - y1) / 2);
    // Leave along the row of the cause, arrive from above or below at the instant of the effect.
    const d =
      end.x - x1 < 1
        ? `M${end.x.toFixed(1)} ${y1}V${y2}`
        : `M${(start.x + (start.bar ? 0 : 7)).toFixed(1)} ${start.bar ? y1 : start.y}H${(end.x - turn).toFixed(1)}q${turn} 0 ${turn} ${down * turn}V${y2}`;
    const retry = effect.kind === "retry.scheduled" || cause.kind === "retry.scheduled";
    const arrow = `url(#${retry ? "retryarrow" : "arrow"})`;
    this.layers.links.put(`link${effect.id}`, "path", { d, class: retry ? "link retry" : "link", "marker-end": arrow });
  }

  drawRing() {
    const { model, selected, until } = this.view;
    const record = model.byId.get(selected);
    if (!record || record.id > until) return;
    const place = this.place(record);
    if (!place) return;
    const span = place.bar && model.laneOf(record).spans.find(
      (each) => (each.type === "init" || each.type === "invoke") && (each.start === record || each.end === record),
    );
    if (span) {
      const x = this.x(span.start.t);
      const end = this.x(span.end && span.end.id <= until ? span.end.t : this.view.cursor);
      this.layers.rings.put("ring", "rect", { x: x - 3, y: place.y - BAR / 2 - 3, width: Math.max(end - x, 3) + 6, height: BAR + 6, rx: 5, class: "ring" });
    } else {
      const pin = place.bar && record.kind === "api.call" ? BAR / 2 + 6 : 0;
      this.layers.rings.put("spot", "circle", { cx: place.x, cy: place.y + pin, r: pin ? 7 : 11, class: "ring" });
    }
  }
}

function initClass(span, ended) {
  return ended && span.status !== "success" ? "initfailed" : "init";
}
