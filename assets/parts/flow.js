// What happened in a cloud, drawn from its trace: lanes over virtual time, the causal tree of one stimulus, and a table.
// Python gives the texts and the address of a WebSocket once; from then on records arrive here without Streamlit.

import { h, say } from "./flow_dom.js";
import { Axis } from "./flow_axis.js";
import { Feed } from "./flow_feed.js";
import { Lanes } from "./flow_lanes.js";
import { Model } from "./flow_model.js";
import { Controls, Legend } from "./flow_controls.js";
import { Detail, Table } from "./flow_table.js";
import { Book } from "./flow_text.js";
import { attributes, Tree } from "./flow_tree.js";

const PLAY_SPEED = 170; // px per second
const STEP_WAIT = 900; // ms per event when motion is reduced
const SPEAK_WAIT = 1600; // ms between announcements
const LIVE_WAIT = 250; // ms between drawings of quiet time

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
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.dark = null;
    this.frame = () => this.render();
    this.onHidden = () => this.invalidate();
    document.addEventListener("visibilitychange", this.onHidden);
    this.view = { book: null, root: null, selected: null, following: true, playing: false, cursor: 0, until: 0, count: 0 };
    const on = {
      select: (id) => this.select(id, true),
      scrub: (t) => this.scrub(t),
      redraw: () => this.invalidate(),
      command: (name, value) => this.command(name, value),
    };
    this.clear();
    this.lanes = new Lanes(this.view, on);
    this.controls = new Controls(this.view, on);
    this.legend = new Legend(this.view);
    this.tree = new Tree(this.view, on);
    this.detail = new Detail(this.view, on);
    this.table = new Table(this.view, on);
    this.status = h("p", { className: "status", role: "status" });
    this.live = h("div", { className: "spoken", "aria-live": "polite" });
    this.empty = h("p", { className: "empty start" });
    const figure = h("div", { className: "figure" }, this.controls.element, this.lanes.scroller, this.empty, this.legend.element);
    this.below = h("div", { className: "below" }, this.tree.element, this.detail.element);
    this.host.replaceChildren(figure, this.status, this.below, this.table.element, this.live);
    this.lanes.scroller.addEventListener("keydown", (event) => this.key(event));
    this.sizes = new ResizeObserver(() => {
      this.choose();
      this.invalidate();
    });
    this.sizes.observe(this.host);
  }

  clear() {
    const model = new Model();
    Object.assign(this.view, { model, axis: new Axis(model), root: null, selected: null, following: true, playing: false, cursor: 0, until: 0, count: 0 });
    this.clock = null;
    this.zoomed = null;
  }

  refresh({ data, setStateValue }) {
    this.setStateValue = setStateValue;
    this.height = data.height ?? 420;
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
      this.feed?.close();
      this.feed = undefined;
      this.clear();
      this.connection = data.run ? "connecting" : "static";
      this.view.model.add(data.records);
      this.choose();
      this.keepEnd = true;
      if (data.run) {
        const last = () => this.view.model.lastId;
        this.feed = new Feed(data.run, last, (message) => this.hear(message), (state) => this.connected(state));
      }
    }
    // Python may echo an older click while a newer one is on its way: only a change that is news counts.
    if (data.selected !== this.asked) {
      this.asked = data.selected;
      const echo = this.sent?.includes(data.selected);
      if (!echo && data.selected !== null) this.wanted = data.selected;
      if (echo) this.sent = this.sent.slice(this.sent.indexOf(data.selected) + 1);
    }
    this.invalidate();
  }

  hear(message) {
    const { model } = this.view;
    if (message.type === "records") {
      const before = model.records.length;
      const follows = this.view.following && this.lanes.atEnd;
      if (!model.add(message.records)) return;
      if (!this.zoomed) this.choose();
      this.speak(model.records.slice(before));
      this.keepEnd = this.keepEnd || follows;
    } else if (message.type === "clock") {
      this.clock = { ...message, heard: performance.now() };
    } else if (message.type === "reset") {
      this.clear();
      this.choose();
    }
    this.invalidate();
  }

  connected(state) {
    this.connection = state;
    this.invalidate();
  }

  /** The current virtual time: what the last clock message said, carried on by the wall clock when time runs live. */
  now() {
    const { model } = this.view;
    const last = model.times[model.times.length - 1] ?? 0;
    if (!this.clock) return last;
    const live = this.clock.pace === "live" && this.connection === "open";
    const passed = live ? (performance.now() - this.clock.heard) * 1e6 * this.clock.factor : 0;
    return Math.max(last, this.clock.t + passed);
  }

  choose() {
    if (this.zoomed || !this.view.book) return;
    this.lanes.measure();
    this.view.axis.choose(this.lanes.room);
  }

  invalidate() {
    if (document.hidden || this.closed || this.asking) return;
    this.asking = requestAnimationFrame(this.frame);
  }

  render() {
    this.asking = undefined;
    if (this.closed) return;
    this.lanes.measure();
    if (!this.lanes.width && this.view.model.records.length && !this.lanes.scroller.hidden) return;
    const started = performance.now();
    const { view } = this;
    const { model, axis } = view;
    const now = this.now();
    axis.layout(now, this.lanes.room);
    if (this.wanted && model.byId.has(this.wanted)) this.select(this.wanted, false);
    this.play(started);
    if (view.following) {
      view.cursor = now;
      view.count = model.records.length;
    }
    view.until = view.count ? model.records[view.count - 1].id : 0;
    view.root = this.rootInView();
    const seen = this.lanes.draw(this.height);
    if (this.sought) this.lanes.reveal(this.sought.t, this.sought.margin);
    else if (this.keepEnd && view.following) this.lanes.toEnd();
    this.sought = undefined;
    this.keepEnd = false;
    this.legend.draw(seen);
    this.controls.draw(this.connection, this.clock);
    this.tree.draw();
    this.detail.draw();
    this.table.draw();
    this.words();
    this.host.dataset.records = String(model.records.length);
    this.host.dataset.ready = "true";
    this.carryOn(now);
  }

  /** Keep drawing while something moves, and no longer. */
  carryOn(now) {
    const { view } = this;
    if (view.playing) this.invalidate();
    if (this.clock?.pace !== "live" || this.connection !== "open" || !view.following || !view.model.records.length) return;
    const moving = !view.axis.folds.some((fold) => fold.open) && now > view.model.times[view.model.times.length - 1];
    if (moving && !this.still.matches) {
      if (this.lanes.atEnd) this.keepEnd = true;
      this.invalidate();
    } else {
      clearTimeout(this.ticking);
      this.ticking = setTimeout(() => this.invalidate(), this.still.matches ? 1000 : LIVE_WAIT);
    }
  }

  /** Move the time cursor while the view plays. */
  play(at) {
    const { view } = this;
    if (!view.playing) return;
    const passed = at - this.played;
    if (this.still.matches) {
      if (passed < STEP_WAIT) return;
      this.played = at;
      this.step(1);
    } else {
      this.played = at;
      const t = view.axis.t(view.axis.x(view.cursor) + (Math.min(passed, 100) * PLAY_SPEED) / 1000);
      this.moveTo(t, view.model.upTo(t));
    }
    if (view.count >= view.model.records.length) this.command("last");
    else this.seek(view.cursor);
  }

  /** Show what had happened when `count` records were there. */
  moveTo(t, count) {
    Object.assign(this.view, { cursor: t, count, following: false, until: this.view.model.records[count - 1]?.id ?? 0 });
    this.invalidate();
  }

  /** Bring an instant into sight with the next drawing, which knows where it lies. */
  seek(t, margin = 0.15) {
    this.sought = { t, margin };
  }

  scrub(t) {
    this.view.playing = false;
    this.moveTo(t, this.view.model.upTo(t));
  }

  step(by) {
    const { view } = this;
    this.goTo(view.count + by);
  }

  goTo(count) {
    const { view } = this;
    const { records } = view.model;
    const at = Math.min(Math.max(count, 0), records.length);
    const record = records[at - 1];
    this.moveTo(record?.t ?? records[0]?.t ?? 0, at);
    if (record) view.selected = record.id;
    this.seek(view.cursor);
  }

  select(id, byHand) {
    const { view } = this;
    const at = view.model.indexOf(id);
    if (at < 0) return;
    this.wanted = undefined;
    view.selected = id;
    if (at >= view.count && !view.following) this.moveTo(view.model.records[at].t, at + 1);
    this.seek(view.model.records[at].t, 0.02);
    if (byHand) {
      this.sent = [...(this.sent ?? []).slice(-8), id];
      this.setStateValue("selected", id);
    }
    this.invalidate();
  }

  command(name, value) {
    const { view } = this;
    const { axis } = view;
    const steps = { previous: () => this.step(-1), next: () => this.step(1), first: () => this.goTo(0), goto: () => this.goTo(value) };
    if (name === "play") {
      const start = view.model.byId.get(view.root)?.t;
      if (!view.playing && view.count >= view.model.records.length) this.moveTo(start, view.model.upTo(start) || 1);
      view.playing = !view.playing;
      this.played = performance.now();
      this.seek(view.cursor);
    } else if (name === "last") {
      Object.assign(view, { following: true, playing: false });
      this.keepEnd = true;
    } else if (name.startsWith("zoom")) {
      const middle = axis.t(this.lanes.scroller.scrollLeft + this.lanes.room / 2);
      if (name === "zoomfit" && this.zoomed !== "whole") {
        this.zoomed = "whole";
        axis.whole(this.lanes.room);
      } else if (name === "zoomfit") {
        this.zoomed = null;
        this.choose();
      } else {
        this.zoomed = "byhand";
        const scale = axis.scale * (name === "zoomin" ? 1.6 : 1 / 1.6);
        axis.scale = Math.min(Math.max(scale, axis.smallest(this.lanes.room) / 2), 0.001);
      }
      this.render();
      this.lanes.scroller.scrollLeft = axis.x(middle) - this.lanes.room / 2;
    } else {
      view.playing = false;
      steps[name]();
      if (name !== "goto") this.speakOf(view.model.byId.get(view.selected));
    }
    this.invalidate();
  }

  key(event) {
    const commands = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last", " ": "play", "+": "zoomin", "=": "zoomin", "-": "zoomout", 0: "zoomfit" };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" && this.view.selected) this.select(this.view.selected, true);
    else if (commands[event.key]) this.command(commands[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The stimulus to tell about: that of the selected record, or else the latest one that led to something. */
  rootInView() {
    const { model, selected, until } = this.view;
    const chosen = selected !== null && selected <= until ? model.roots.get(selected) : undefined;
    if (chosen !== undefined) return chosen;
    const { stimuli } = model;
    for (let at = stimuli.length - 1; at >= 0; at -= 1) if (stimuli[at] <= until) return stimuli[at];
    return this.view.count ? model.roots.get(until) : null;
  }

  /** Announce news in batches, so that a screen reader is not flooded. */
  speak(records) {
    this.news = (this.news ?? 0) + records.length;
    if (this.speaking) return;
    this.speaking = setTimeout(() => {
      this.speaking = undefined;
      const { book, model } = this.view;
      const latest = model.records[model.records.length - 1];
      const count = this.news;
      this.news = 0;
      if (latest) say(this.live, book.ui(count === 1 ? "announceone" : "announce", { count, sentence: book.sentence(latest) }));
    }, SPEAK_WAIT);
  }

  speakOf(record) {
    if (record) say(this.live, this.view.book.sentence(record));
  }

  words() {
    const { view } = this;
    const { model, book } = view;
    const states = { gone: book.ui("gone"), reconnecting: book.ui("reconnecting") };
    say(this.status, states[this.connection] ?? "");
    this.status.hidden = !this.status.textContent;
    const nothing = !model.records.length;
    this.empty.hidden = !nothing;
    for (const part of [this.lanes.scroller, this.below, this.table.element]) part.hidden = nothing;
    if (nothing) say(this.empty, book.ui("empty"));
    if (this.summed === model.version && this.summedIn === book) return;
    this.summed = model.version;
    this.summedIn = book;
    const of = (kind) => model.records.filter((record) => record.kind === kind);
    const ended = of("invocation.ended");
    const summary = book.ui("lanessummary", {
      environments: of("environment.created").length,
      invocations: of("invocation.started").length,
      failed: ended.filter((record) => record.detail.status !== "success").length,
      retries: of("retry.scheduled").length,
      throttles: of("invocation.throttled").length,
    });
    attributes(this.lanes.scroller, { "aria-label": `${book.ui("lanes")}. ${summary}` });
    attributes(this.lanes.svg, { "aria-label": summary });
  }

  close() {
    this.closed = true;
    this.feed?.close();
    this.sizes.disconnect();
    document.removeEventListener("visibilitychange", this.onHidden);
    cancelAnimationFrame(this.asking);
    clearTimeout(this.ticking);
    clearTimeout(this.speaking);
  }
}

/** Whether the theme's background is dark; Streamlit tells colours, not names. */
function isDark(element) {
  const probe = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  const hex = /^#?([0-9a-f]{6})/i.exec(probe)?.[1];
  const channels = hex ? [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) : (probe.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return 0.299 * channels[0] + 0.587 * channels[1] + 0.114 * channels[2] < 128;
}
