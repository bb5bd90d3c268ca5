// What happened in a cloud, drawn from its trace: lanes over virtual time, the causal tree of one stimulus, and a table.
// Python gives the texts and the address of a WebSocket once; from then on records arrive here without Streamlit.

import { Axis } from "./flow_axis.js";
import { Controls, Legend } from "./flow_controls.js";
import { Cursor } from "./flow_cursor.js";
import { h } from "./flow_dom.js";
import { Feed } from "./flow_feed.js";
import { Lanes } from "./flow_lanes.js";
import { Model } from "./flow_model.js";
import { Detail, Table } from "./flow_table.js";
import { Book } from "./flow_text.js";
import { attributes, Tree } from "./flow_tree.js";
import { Words } from "./flow_words.js";

const LIVE_WAIT = 250; // ms between drawings of quiet time
const HEIGHT = 420; // px of the lanes at most, unless the page says otherwise

const instances = new WeakMap();

/** Show or refresh the component; Streamlit calls this again whenever its data or the theme changes. */
export function flow(component) {
  const host = component.parentElement.querySelector(".flow");
  if (!instances.has(host)) instances.set(host, new Flow(host));
  const instance = instances.get(host);
  instance.refresh(component);
  return () => {
    instance.close();
    instances.delete(host);
  };
}

class Flow {
  constructor(host) {
    this.host = host;
    this.sent = [];
    this.view = { book: null };
    const on = {
      select: (id) => this.select(id),
      scrub: (t) => this.cursor.scrub(t),
      redraw: () => this.invalidate(),
      command: (name, value) => this.cursor.command(name, value),
    };
    this.view.model = new Model();
    this.view.axis = new Axis(this.view.model);
    this.lanes = new Lanes(this.view, on);
    this.words = new Words(this.view);
    this.cursor = new Cursor(this.view, this.lanes, {
      redraw: () => this.invalidate(),
      draw: () => this.draw(),
      tell: (record) => this.words.tell(record),
    });
    this.controls = new Controls(this.view, on);
    this.legend = new Legend(this.view);
    this.tree = new Tree(this.view, on);
    this.detail = new Detail(this.view, on);
    this.table = new Table(this.view, on);
    this.build();
  }

  build() {
    const { words, lanes } = this;
    const figure = h("div", { className: "figure" }, this.controls.element, lanes.scroller, words.empty, this.legend.element);
    this.below = h("div", { className: "below" }, this.tree.element, this.detail.element);
    this.host.replaceChildren(figure, words.status, this.below, this.table.element, words.live);
    lanes.scroller.addEventListener("keydown", (event) => this.key(event));
    this.frame = () => this.draw();
    this.onVisible = () => this.invalidate();
    document.addEventListener("visibilitychange", this.onVisible);
    this.sizes = new ResizeObserver(() => {
      this.choose();
      this.invalidate();
    });
    this.sizes.observe(this.host);
  }

  clear() {
    const model = new Model();
    Object.assign(this.view, { model, axis: new Axis(model) });
    this.cursor.reset();
    this.clock = null;
  }

  refresh({ data, setStateValue }) {
    this.setStateValue = setStateValue;
    this.height = data.height ?? HEIGHT;
    attributes(this.host, { "data-theme": isDark(this.host) ? "dark" : "light" });
    const texts = JSON.stringify([data.text, data.variants]);
    if (texts !== this.texts) {
      this.texts = texts;
      this.view.book = new Book(data.text, data.variants);
      attributes(this.host, { lang: data.locale, role: "group", "aria-label": this.view.book.ui("name") });
    }
    const known = JSON.stringify([data.run, data.records]);
    if (known !== this.known) {
      this.known = known;
      this.start(data);
    }
    // Python may echo an older click while a newer one is on its way: only a change that is news counts.
    if (data.selected !== this.asked) {
      this.asked = data.selected;
      const echo = this.sent.indexOf(data.selected);
      if (echo >= 0) this.sent = this.sent.slice(echo + 1);
      else if (data.selected !== null) this.wanted = data.selected;
    }
    this.invalidate();
  }

  start({ run, records }) {
    this.feed?.close();
    this.feed = undefined;
    this.clear();
    this.connection = run ? "connecting" : "static";
    this.view.model.add(records);
    this.choose();
    if (!run) return;
    const connected = (state) => {
      this.connection = state;
      this.invalidate();
    };
    this.feed = new Feed(run, () => this.view.model.lastId, (message) => this.hear(message), connected);
  }

  hear(message) {
    if (message.type === "records") {
      const added = this.view.model.add(message.records);
      if (!added) return;
      this.choose();
      this.words.announce(added);
      this.cursor.keepEnd ||= this.lanes.atEnd;
    } else if (message.type === "clock") {
      this.clock = { ...message, heard: performance.now() };
    } else if (message.type === "reset") {
      this.clear();
      this.choose();
    }
    this.invalidate();
  }

  /** Whether virtual time runs with the wall clock right now. */
  get live() {
    return this.clock?.pace === "live" && this.connection === "open";
  }

  /** The current virtual time: what the last clock message said, carried on by the wall clock when time runs live. */
  now() {
    const { times } = this.view.model;
    const passed = this.live ? (performance.now() - this.clock.heard) * 1e6 * this.clock.factor : 0;
    return Math.max(times[times.length - 1] ?? 0, (this.clock?.t ?? 0) + passed);
  }

  choose() {
    if (this.cursor.zoomed || !this.view.book) return;
    this.lanes.measure();
    this.view.axis.choose(this.lanes.room, this.now());
  }

  invalidate() {
    if (!document.hidden && !this.closed) this.request ??= requestAnimationFrame(this.frame);
  }

  draw() {
    cancelAnimationFrame(this.request);
    this.request = undefined;
    if (this.closed) return;
    const { view, lanes, cursor } = this;
    const { model, axis } = view;
    const nothing = !model.records.length;
    for (const part of [lanes.scroller, this.below, this.table.element]) part.hidden = nothing;
    lanes.measure();
    const now = this.now();
    axis.layout(now, lanes.room);
    if (!cursor.zoomed && model.running && axis.width > lanes.room) {
      axis.choose(lanes.room, now);
      axis.layout(now, lanes.room);
    }
    if (this.wanted && cursor.select(this.wanted)) this.wanted = undefined;
    cursor.settle(now, performance.now());
    const seen = lanes.draw(this.height);
    cursor.scroll();
    this.legend.draw(seen);
    this.controls.draw(this.connection, this.clock);
    this.drawWords();
    attributes(this.host, { "data-records": model.records.length, "data-ready": "" });
    this.carryOn(now);
  }

  /** Draw the views made of words, unless they would say the same: live time redraws the lanes 60 times a second. */
  drawWords() {
    const { model, book, until, selected, root } = this.view;
    this.words.draw(this.connection, this.lanes);
    const state = [model.version, until, selected, root].join();
    if (state === this.state && model === this.stateModel && book === this.stateBook) return;
    Object.assign(this, { state, stateModel: model, stateBook: book });
    for (const part of [this.tree, this.detail, this.table]) part.draw();
  }

  /** Keep drawing while something moves, and no longer. */
  carryOn(now) {
    const { view, cursor, lanes } = this;
    if (view.playing) this.invalidate();
    if (!this.live || !view.following || !view.model.records.length) return;
    const growing = now > view.model.times[view.model.times.length - 1] && !view.axis.folds.some((fold) => fold.open);
    cursor.keepEnd ||= lanes.atEnd;
    clearTimeout(this.ticking);
    if (growing && !cursor.still.matches) this.invalidate();
    else this.ticking = setTimeout(() => this.invalidate(), cursor.still.matches ? 4 * LIVE_WAIT : LIVE_WAIT);
  }

  /** The learner picks a record: show it in every view, and let Python know. */
  select(id) {
    if (!this.cursor.select(id)) return;
    this.sent = [...this.sent.slice(-8), id];
    this.setStateValue("selected", id);
  }

  key(event) {
    const { selected } = this.view;
    if (event.key === "Enter" && selected) this.select(selected);
    else if (!this.cursor.key(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  close() {
    this.closed = true;
    this.feed?.close();
    this.words.close();
    this.sizes.disconnect();
    document.removeEventListener("visibilitychange", this.onVisible);
    cancelAnimationFrame(this.request);
    clearTimeout(this.ticking);
  }
}

/** Whether the theme's background is dark; Streamlit tells colours, not names. */
function isDark(element) {
  const colour = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  const hex = /^#([0-9a-f]{6})/i.exec(colour)?.[1];
  const parts = hex ? [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) : (colour.match(/[\d.]+/g) ?? [255, 255, 255]);
  return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 128;
}
