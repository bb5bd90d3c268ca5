// The lanes: one per execution environment and one per source of events, over virtual time. Draws only what is in view.

import { fit, h, Layer, roughWidth, svg } from "./flow_dom.js";
import { PATTERNS } from "./flow_glyphs.js";
import { Items } from "./flow_items.js";

const AXIS = 42; // px of the time axis
const HEAD = 22; // px of a group's heading
const ROW = { environment: 40, other: 30 };

export class Lanes extends Items {
  /** `view` is the shared state, `on.select(id)` and `on.scrub(t)` tell what the learner does here. */
  constructor(view, on) {
    super();
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

  center(t) {
    this.scroller.scrollLeft = this.view.axis.x(t) - this.room / 2;
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
      // The grip of the cursor would lie on the label, and the time is written above anyway.
      if (Math.abs(x - cursorX) > 24) this.axis.put(`tick${tick.t}`, "text", { x, y: AXIS - 8, class: class_ }, tick.label);
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
      this.axis.put(`fold${fold.from}`, "text", { x: (x + end) / 2, y: 14, class: "foldlabel" }, `⋯ ${book.duration(coarse(passed, fold.open))}`);
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
}

/** Milliseconds as exact as a label needs them; time that still passes is rounded more, or its digits would only flicker. */
function coarse(ns, passes) {
  const step = passes ? (ns < 1e9 ? 10 : 100) : ns < 10e9 ? 1 : 100;
  return Math.floor(ns / 1e6 / step + (passes ? 0 : 0.5)) * step;
}

function zigzag(x, top, bottom) {
  let d = `M${x.toFixed(1)} ${top}`;
  for (let y = top, side = 1; y < bottom; y += 5, side = -side) d += `l${side * 3} 5`;
  return d;
}
