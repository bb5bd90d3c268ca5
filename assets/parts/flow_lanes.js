// The lanes: one per execution environment and one per source of events, over virtual time. Draws only what is in view.

import { fit, h, Layer, roughWidth, svg } from "./flow_dom.js";
import { GLYPHS, glyphOf, PATTERNS, STATUS_ICONS } from "./flow_glyphs.js";

const AXIS = 42; // px of the time axis
const HEAD = 22; // px of a group's heading
const ROW = { environment: 40, other: 30 };
const BAR = 20;
const CROWDED = 3e-8; // px per ns below which single calls would only be noise
const LINKS = 400; // connectors drawn for one stimulus at most

export class Lanes {
  /** `view` is the shared state, `on.select(id)` and `on.scrub(t)` tell what the learner does here. */
  constructor(view, on) {
    this.view = view;
    this.on = on;
    this.layers = Object.fromEntries(
      ["rows", "folds", "ticks", "life", "links", "bars", "marks", "texts", "rings", "cursor"].map((name) => [name, new Layer(name)]),
    );
    this.heads = new Layer("heads");
    this.axis = new Layer("axis");
    const clip = `clip${Math.random().toString(36).slice(2)}`;
    this.clip = [svg("rect"), svg("rect")];
    this.svg = svg(
      "svg",
      { role: "img" },
      svg(
        "defs",
        {},
        ...PATTERNS(),
        svg("clipPath", { id: `${clip}body` }, this.clip[0]),
        svg("clipPath", { id: `${clip}axis` }, this.clip[1]),
        ...["arrow", "retryarrow"].map((id) =>
          svg(
            "marker",
            { id, viewBox: "0 0 8 8", refX: 6.5, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
            svg("path", { d: "M1 1 7 4 1 7z", class: id }),
          ),
        ),
      ),
      svg("g", { "clip-path": `url(#${clip}body)` }, ...Object.values(this.layers).slice(0, 9).map((layer) => layer.group)),
      this.heads.group,
      svg("g", { "clip-path": `url(#${clip}axis)` }, this.axis.group, this.layers.cursor.group),
    );
    this.stage = h("div", { className: "stage" }, this.svg);
    this.space = h("div", { className: "space" }, this.stage);
    this.scroller = h("div", { className: "lanes", tabIndex: 0, role: "group" }, this.space);
    this.scroller.addEventListener("scroll", () => on.redraw());
    this.listen();
  }

  /** Ask the layout once, before a drawing changes anything: asking later would make the browser lay out again. */
  measure() {
    this.width = this.scroller.clientWidth;
    this.scrollX = this.scroller.scrollLeft;
    this.scrollY = this.scroller.scrollTop;
    this.left = this.labelWidth();
    this.room = Math.max(this.width - this.left, 120); // what is left for time
    this.atEnd = this.scrollX + this.width >= (this.needed ?? 0) - 8;
  }

  labelWidth() {
    const { model, book } = this.view;
    const names = model.rows().map((lane) => roughWidth(this.name(lane), 12.5));
    for (const group of ["events", "environments"]) names.push(roughWidth(book.text[`lane.${group}`], 11.5));
    return Math.round(Math.min(Math.max(92, ...names) + 26, Math.max(110, this.width * 0.24)));
  }

  name(lane) {
    const { text } = this.view.book;
    if (lane.kind === "environment") return lane.label;
    const name = lane.kind === "other" ? text[`service.${lane.name}`] ?? lane.name : lane.name;
    return text[`lane.${lane.kind}`].replace("{name}", () => name);
  }

  listen() {
    const { svg: drawing } = this;
    const idOf = (event) => Number(event.target.closest?.("[data-id]")?.getAttribute("data-id")) || null;
    const at = (event) => this.view.axis.t(event.clientX - drawing.getBoundingClientRect().left - this.left + this.scroller.scrollLeft);
    const inAxis = (event) => {
      const box = drawing.getBoundingClientRect();
      return event.clientY - box.top < AXIS && event.clientX - box.left > this.left;
    };
    drawing.addEventListener("pointerdown", (event) => {
      if (event.button || !inAxis(event)) return;
      drawing.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.on.scrub(at(event));
    });
    drawing.addEventListener("pointermove", (event) => {
      if (this.dragging) this.on.scrub(at(event));
    });
    for (const end of ["pointerup", "pointercancel"]) drawing.addEventListener(end, () => (this.dragging = false));
    drawing.addEventListener("click", (event) => {
      const id = idOf(event);
      if (id) this.on.select(id);
    });
    // Tooltips are written only when the pointer gets there: 5,000 of them would be 5,000 elements.
    drawing.addEventListener("pointerover", (event) => {
      const id = idOf(event);
      const record = id && this.view.model.byId.get(id);
      if (!record || event.target.querySelector("title")) return;
      event.target.append(svg("title"));
      event.target.lastChild.textContent = this.view.book.sentence(record, 2000);
    });
  }

  /** Keep an instant in sight. */
  reveal(t, margin) {
    const x = this.view.axis.x(t);
    const from = this.scrollX + this.room * margin;
    const to = this.scrollX + this.room * (1 - margin);
    if (x < from) this.scroller.scrollLeft = x - this.room * 0.3;
    else if (x > to) this.scroller.scrollLeft = x - this.room * 0.7;
  }

  toEnd() {
    this.scroller.scrollLeft = this.scroller.scrollWidth;
  }

  /** Give every lane its place from top to bottom. */
  arrange() {
    let y = AXIS;
    const heads = [];
    const rows = [];
    for (const lane of this.view.model.rows()) {
      const group = lane.kind === "environment" ? "environments" : "events";
      if (heads[heads.length - 1]?.group !== group) {
        heads.push({ group, y });
        y += HEAD;
      }
      const height = ROW[lane.kind] ?? ROW.other;
      rows.push({ lane, y, height, middle: y + (lane.kind === "environment" ? 17 : height / 2) });
      y += height;
    }
    return { heads, rows, height: y + 6 };
  }

  draw(height) {
    const { view } = this;
    const { axis } = view;
    const places = this.arrange();
    const full = places.height;
    const shown = Math.min(full, Math.max(height, AXIS + 60));
    const needed = this.left + axis.width + 18;
    this.needed = needed;
    const style = (element, name, value) => {
      if (element.style[name] !== value) element.style[name] = value;
    };
    const bar = needed > this.width ? 14 : 0;
    style(this.scroller, "height", `${shown + bar}px`);
    style(this.space, "width", `${needed > this.width ? needed : 0}px`);
    style(this.space, "height", `${full}px`);
    style(this.stage, "width", `${this.width}px`);
    style(this.stage, "height", `${shown}px`);
    const [body, top] = this.clip;
    for (const [name, value] of Object.entries({ x: this.left, y: AXIS, width: this.width, height: shown })) body.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x: this.left - 7, y: 0, width: this.width, height: shown })) top.setAttribute(name, value);
    this.shown = shown;
    for (const row of places.rows) row.middle -= this.scrollY;
    this.rowOf = new Map(places.rows.map((row) => [row.lane.id, row]));
    this.seen = new Set();
    const layers = [...Object.values(this.layers), this.heads, this.axis];
    for (const layer of layers) layer.begin();
    this.drawAxis(shown);
    this.drawHeads(places);
    const from = axis.t(this.scrollX - 40);
    const to = Math.min(axis.t(this.scrollX + this.width), view.cursor);
    for (const row of places.rows) {
      if (row.lane.first > view.cursor || row.middle < AXIS - 40 || row.middle > shown + 40) continue;
      this.drawSpans(row, from, to);
      if (row.lane.kind === "environment") this.drawCalls(row, from, to);
      else this.drawMarks(row, from, to);
    }
    this.drawLinks();
    this.drawRing();
    for (const layer of layers) layer.end();
    return this.seen;
  }

  x(t) {
    return this.left + this.view.axis.x(t) - this.scrollX;
  }

  drawAxis(shown) {
    const { axis, cursor, book } = this.view;
    const cursorX = this.x(cursor);
    for (const tick of axis.ticks(this.scrollX - 60, this.scrollX + this.width + 60)) {
      const x = this.left + tick.x - this.scrollX;
      const class_ = tick.t > cursor ? "tick later" : "tick";
      this.layers.ticks.put(`line${tick.t}`, "path", { d: `M${x.toFixed(1)} ${AXIS}V${shown}`, class: class_ });
      this.axis.put(`tick${tick.t}`, "text", { x, y: AXIS - 8, class: class_ }, tick.label);
    }
    this.axis.put("line", "path", { d: `M${this.left} ${AXIS - 0.5}H${this.width}`, class: "base" });
    for (const fold of axis.folds) {
      if (fold.from > cursor) break;
      const x = this.left + fold.x - this.scrollX;
      const end = Math.min(this.left + fold.end - this.scrollX, fold.open || fold.to <= cursor ? Infinity : cursorX);
      if (end < this.left - 80 || x > this.width + 80) continue;
      this.seen.add("fold");
      this.layers.folds.put(`band${fold.from}`, "rect", { x, y: AXIS, width: Math.max(end - x, 0), height: shown - AXIS, class: "fold" });
      for (const edge of fold.open ? [x] : [x, end]) {
        this.layers.folds.put(`edge${fold.from}${edge === x}`, "path", { d: zigzag(edge, AXIS, shown), class: "foldedge" });
      }
      const passed = Math.min(fold.to, cursor) - fold.from;
      this.axis.put(`fold${fold.from}`, "text", { x: (x + end) / 2, y: 14, class: "foldlabel" }, `⋯ ${book.duration(fold.open ? Math.floor(passed / 1e8) * 100 : passed / 1e6)}`);
      this.axis.put(`bracket${fold.from}`, "path", { d: `M${x + 1} 23V19H${end - 1}V23`, class: "bracket" });
    }
    this.layers.cursor.put("line", "path", { d: `M${cursorX.toFixed(1)} ${AXIS - 4}V${shown}`, class: "cursor" });
    this.layers.cursor.put("grip", "path", { d: `M${cursorX.toFixed(1)} ${AXIS}l-5-7v-6h10v6z`, class: "grip" });
  }

  drawHeads({ heads, rows }) {
    const { view, left, scrollY, shown } = this;
    this.heads.put("cover", "rect", { x: 0, y: 0, width: left, height: shown, class: "cover" });
    this.heads.put("edge", "path", { d: `M${left - 0.5} 0V${shown}`, class: "base" });
    for (const { group, y } of heads) {
      if (y - scrollY < AXIS - 4) continue;
      this.heads.put(`head${group}`, "text", { x: 12, y: y - scrollY + 16, class: "head" }, fit(view.book.text[`lane.${group}`], 11, left - 20));
    }
    for (const { lane, y, height, middle } of rows) {
      const top = y - scrollY;
      if (top + height < AXIS || top > shown) continue;
      this.layers.rows.put(`row${lane.id}`, "path", { d: `M0 ${top + height - 0.5}H${this.width}`, class: "row" });
      if (top < AXIS - 8 || lane.first > view.cursor) continue;
      const name = this.name(lane);
      const label = this.heads.put(`name${lane.id}`, "text", { x: 12, y: middle + 4, class: `name ${lane.kind}` }, fit(name, 12.5, left - 20));
      if (label.textContent !== name && !label.querySelector("title")) {
        label.append(svg("title"));
        label.lastChild.textContent = name;
      }
    }
  }

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
    const label = this.view.book.duration((until - span.start.t) / 1e6);
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

function zigzag(x, top, bottom) {
  let d = `M${x.toFixed(1)} ${top}`;
  for (let y = top, side = 1; y < bottom; y += 5, side = -side) d += `l${side * 3} 5`;
  return d;
}
