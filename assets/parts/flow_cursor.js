// The time cursor: which instant is shown, and how the learner moves it. Everything after it has not happened yet.

const PLAY_SPEED = 170; // px per second
const STEP_WAIT = 900; // ms per event when motion is reduced
const KEYS = {
  ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last", " ": "play",
  "+": "zoomin", "=": "zoomin", "-": "zoomout", 0: "zoomfit",
};

export class Cursor {
  /** `view` is the shared state; `redraw()` asks for a drawing, `draw()` makes one at once, `tell(record)` speaks. */
  constructor(view, lanes, { redraw, draw, tell }) {
    Object.assign(this, { view, lanes, redraw, draw, tell });
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.reset();
  }

  /** Start with nothing known, at the latest instant. */
  reset() {
    Object.assign(this.view, { root: null, selected: null, following: true, playing: false, cursor: 0, until: 0, count: 0 });
    this.zoomed = null;
    this.keepEnd = true;
  }

  /** Find out what is shown at this drawing. */
  settle(now, at) {
    const { view } = this;
    this.play(at);
    if (view.following) {
      view.cursor = now;
      view.count = view.model.records.length;
    }
    view.until = view.count ? view.model.records[view.count - 1].id : 0;
    view.root = this.rootInView();
  }

  /** Scroll to what was asked for; the drawing has just found out where that lies. */
  scroll() {
    if (this.sought) this.lanes.reveal(this.sought.t, this.sought.margin);
    else if (this.keepEnd && this.view.following) this.lanes.toEnd();
    this.sought = undefined;
    this.keepEnd = false;
  }

  seek(t, margin = 0.15) {
    this.sought = { t, margin };
    this.redraw();
  }

  /** Show what had happened when there were `count` records. */
  moveTo(t, count) {
    Object.assign(this.view, { cursor: t, count, following: false });
    this.redraw();
  }

  scrub(t) {
    this.view.playing = false;
    this.moveTo(t, this.view.model.upTo(t));
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

  /** Select a record; one that has not happened yet at the cursor moves the cursor. */
  select(id) {
    const { view } = this;
    const at = view.model.indexOf(id);
    if (at < 0) return false;
    view.selected = id;
    if (at >= view.count && !view.following) this.moveTo(view.model.records[at].t, at + 1);
    this.seek(view.model.records[at].t, 0.02);
    return true;
  }

  toLatest() {
    Object.assign(this.view, { following: true, playing: false });
    this.keepEnd = true;
    this.redraw();
  }

  command(name, value) {
    const { view } = this;
    if (name === "play") this.startOrStop();
    else if (name === "last") {
      view.selected = null;
      this.toLatest();
    } else if (name.startsWith("zoom")) this.zoom(name);
    else {
      view.playing = false;
      this.goTo({ previous: view.count - 1, next: view.count + 1, first: 0, goto: value }[name]);
      // The slider speaks for itself.
      if (name !== "goto") this.tell(view.model.byId.get(view.selected));
    }
  }

  key(event) {
    const command = KEYS[event.key];
    if (!command || event.altKey || event.ctrlKey || event.metaKey) return false;
    this.command(command);
    return true;
  }

  /** Play on from the cursor; from the end, play the stimulus in view once more. */
  startOrStop() {
    const { view } = this;
    const start = view.model.byId.get(view.root)?.t ?? 0;
    if (!view.playing && view.count >= view.model.records.length) this.moveTo(start, Math.max(view.model.upTo(start), 1));
    view.playing = !view.playing;
    this.played = performance.now();
    this.seek(view.cursor);
  }

  play(at) {
    const { view } = this;
    if (!view.playing) return;
    const passed = at - this.played;
    if (this.still.matches) {
      if (passed < STEP_WAIT) return;
      this.goTo(view.count + 1);
    } else {
      const t = view.axis.t(view.axis.x(view.cursor) + (Math.min(passed, 100) * PLAY_SPEED) / 1000);
      this.moveTo(t, view.model.upTo(t));
      this.seek(t);
    }
    this.played = at;
    if (view.count >= view.model.records.length) this.toLatest();
  }

  zoom(name) {
    const { lanes, view } = this;
    const { axis } = view;
    const middle = axis.t(lanes.scrollX + lanes.room / 2);
    if (name === "zoomfit") {
      this.zoomed = this.zoomed === "whole" ? null : "whole";
      if (this.zoomed) axis.whole(lanes.room);
      else axis.choose(lanes.room, view.cursor);
    } else {
      this.zoomed = "byhand";
      const scale = axis.scale * (name === "zoomin" ? 1.6 : 1 / 1.6);
      axis.scale = Math.min(Math.max(scale, axis.smallest(lanes.room) / 2), 0.001);
    }
    this.draw();
    lanes.center(middle);
    this.redraw();
  }

  /** The stimulus to tell about: that of the selected record, or else the latest one that led to something. */
  rootInView() {
    const { model, selected, until, count } = this.view;
    const chosen = selected !== null && selected <= until ? model.roots.get(selected) : undefined;
    if (chosen !== undefined) return chosen;
    return model.stimuli.findLast((id) => id <= until) ?? (count ? model.roots.get(until) : null);
  }
}
