// The time cursor's controls, and the legend of what is in view.

import { h, icon, say, svg } from "./flow_dom.js";
import { GLYPHS } from "./flow_glyphs.js";
import { attributes } from "./flow_tree.js";
import { moment } from "./flow_text.js";

const ICONS = {
  first: "M3.5 3v10M12.5 3L6 8l6.5 5z",
  previous: "M10.5 3L5 8l5.5 5",
  play: "M4.5 2.5l9 5.5-9 5.5z",
  pause: "M5 3v10M11 3v10",
  next: "M5.5 3L11 8l-5.5 5",
  last: "M12.5 3v10M3.5 3L10 8l-6.5 5z",
  zoomout: "M3 8h10",
  zoomin: "M3 8h10M8 3v10",
  zoomfit: "M2.5 5.5v-3h3M13.5 5.5v-3h-3M2.5 10.5v3h3M13.5 10.5v3h-3",
};

export class Controls {
  constructor(view, on) {
    this.view = view;
    this.buttons = Object.fromEntries(
      ["first", "previous", "play", "next", "last", "zoomout", "zoomin", "zoomfit"].map((name) => [
        name,
        h("button", { type: "button", className: name, onclick: () => on.command(name) }, icon(ICONS[name])),
      ]),
    );
    const { first, previous, play, next, last, zoomout, zoomin, zoomfit } = this.buttons;
    this.slider = h("input", { type: "range", min: "0", step: "1", oninput: () => on.command("goto", Number(this.slider.value)) });
    // The page listens for single keys; the slider's own keys stay here.
    this.slider.addEventListener("keydown", (event) => event.stopPropagation());
    this.time = h("span", { className: "time" });
    this.pace = h("span", { className: "pace" });
    this.element = h(
      "div",
      { className: "controls", role: "toolbar" },
      h("span", { className: "keys" }, first, previous, play, next, last),
      this.slider,
      this.time,
      this.pace,
      h("span", { className: "keys" }, zoomout, zoomin, zoomfit),
    );
  }

  draw(connection, clock) {
    const { book, model, count, cursor, playing, following, selected } = this.view;
    for (const [name, button] of Object.entries(this.buttons)) {
      const text = book.ui(name === "play" && playing ? "pause" : name);
      if (button.title !== text) {
        button.title = text;
        button.setAttribute("aria-label", text);
      }
    }
    const picture = this.buttons.play.querySelector("path");
    attributes(picture, { d: ICONS[playing ? "pause" : "play"], class: playing ? undefined : "solid" });
    const total = model.records.length;
    this.buttons.first.disabled = this.buttons.previous.disabled = count === 0;
    this.buttons.next.disabled = count >= total;
    this.buttons.last.disabled = following && selected === null;
    this.buttons.play.disabled = total === 0;
    const { slider } = this;
    if (slider.max !== String(total)) slider.max = String(total);
    if (slider.value !== String(count)) slider.value = String(count);
    slider.style.setProperty("--share", total ? `${(100 * count) / total}%` : "0%");
    const record = model.records[count - 1];
    const position = book.ui("position", { n: count, count: total });
    attributes(this.element, { "aria-label": book.ui("controls") });
    attributes(slider, { "aria-label": book.ui("scrubber"), "aria-valuetext": record ? `${position}. ${moment(record.t)}. ${book.sentence(record)}` : position });
    say(this.time, moment(cursor));
    if (this.time.title !== position) this.time.title = position;
    say(this.pace, this.paceText(connection, clock, book));
    attributes(this.pace, { "data-pace": connection === "open" && clock ? clock.pace : connection });
  }

  paceText(connection, clock, book) {
    if (connection === "static") return book.ui("static");
    if (connection === "connecting") return book.ui("connecting");
    if (connection !== "open" || !clock) return "";
    if (clock.pace === "paused") return book.ui("paused");
    const pace = clock.pace === "live" ? book.ui("live", { factor: String(clock.factor) }) : book.ui("instant");
    return clock.idle ? `${pace} · ${book.ui("idle")}` : pace;
  }
}

const BARS = ["init", "initfailed", "running", "success", "error", "timeout", "crash"];
// What the legend says of each shape; shapes that mean the same share a line.
const LINES = {
  outside: "outside", outsideerror: "callerror", notification: "notification", queued: "queued", throttled: "throttled", retry: "retry",
  dropped: "dropped", batch: "batch", batchdone: "batch", batchfailed: "batch", dead: "dead", call: "call", callerror: "callerror",
  frozen: "frozen", ended: "ended", fold: "fold",
};

export class Legend {
  constructor(view) {
    this.view = view;
    this.seen = new Set();
    this.element = h("ul", { className: "legend" });
  }

  /** Explain what is in view, and keep what has been explained: a legend that flickers teaches nothing. */
  draw(seen) {
    const { book, model } = this.view;
    if (this.model !== model || this.book !== book) {
      this.seen = new Set();
      this.model = model;
      this.book = book;
    }
    const before = this.seen.size;
    for (const name of seen) this.seen.add(name);
    if (this.seen.size === before && before) return;
    attributes(this.element, { "aria-label": book.text["legend.title"] });
    const lines = new Set();
    const items = [...BARS, ...Object.keys(LINES)].filter((name) => {
      const line = LINES[name] ?? name;
      if (!this.seen.has(name) || lines.has(line)) return false;
      lines.add(line);
      return true;
    });
    this.element.replaceChildren(...items.map((name) => h("li", {}, swatch(name), book.text[`legend.${LINES[name] ?? name}`])));
  }
}

function swatch(name) {
  const picture = svg("svg", { viewBox: "-11 -8 22 16", "aria-hidden": "true" });
  if (BARS.includes(name)) {
    picture.append(svg("rect", { x: -10, y: -5, width: 20, height: 10, rx: 2, class: `bar ${name}` }));
    if (name !== "success" && name !== "running") picture.append(svg("rect", { x: -10, y: -5, width: 20, height: 10, rx: 2, class: "hatch", fill: `url(#hatch-${name})` }));
  } else if (name === "frozen") picture.append(svg("path", { d: "M-10 0H10", class: "span frozen" }));
  else if (name === "ended") picture.append(svg("path", { d: "M-10 0H2M2-6V6m-3-12h3m-3 12h3", class: "endcap" }));
  else if (name === "fold") picture.append(svg("rect", { x: -8, y: -8, width: 16, height: 16, class: "fold" }), svg("path", { d: "M-8-8l3 4-3 4 3 4-3 4M8-8l3 4-3 4 3 4-3 4", class: "foldedge" }));
  else if (name === "call") picture.append(svg("path", { d: "M0-7V0", class: "pin" }), svg("circle", { r: 2.8, cy: 2, class: "pinhead" }));
  else if (name === "callerror") picture.append(svg("path", { d: "M0-7v3m-4 1l8 8m-8 0l8-8", class: "pin callerror" }));
  else picture.append(svg("path", { d: GLYPHS[name], class: `mark ${name}` }));
  return picture;
}
