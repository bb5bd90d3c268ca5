// What one stimulus led to, as a tree of sentences. One node per record; what repeats or says little is folded away.

import { arrange, h, icon, say, svg } from "./flow_dom.js";
import { GLYPHS, glyphOf } from "./flow_glyphs.js";
import { wentWrong } from "./flow_model.js";
import { moment } from "./flow_text.js";

const MOST = 300; // nodes drawn at most
const DEEPEST = 9; // levels of indentation
const QUIET = new Set(["environment.frozen"]); // always folded away
const REPEATING = new Set(["log.line", "api.call", "slept"]); // folded away beyond the first few
const FEW = 5;
const CLOSED = new Set(["environment.created"]); // an INIT is one click away, unless it failed

export class Tree {
  constructor(view, on) {
    this.view = view;
    this.on = on;
    this.open = new Map();
    this.rows = new Map();
    this.nodes = [];
    this.title = h("h3", { id: "treetitle" });
    this.previous = h("button", { type: "button", onclick: () => this.move(-1) }, icon("M10 3L5 8l5 5"));
    this.next = h("button", { type: "button", onclick: () => this.move(1) }, icon("M6 3l5 5-5 5"));
    this.position = h("span", { className: "position" });
    const picker = h("div", { className: "picker" }, this.previous, this.position, this.next);
    this.list = h("ul", { role: "tree", "aria-labelledby": "treetitle" });
    this.empty = h("p", { className: "empty" });
    this.element = h("section", { className: "tree" }, h("header", {}, this.title, picker), this.list, this.empty);
    this.list.addEventListener("click", (event) => this.click(event));
    this.list.addEventListener("keydown", (event) => this.key(event));
  }

  /** Show the stimulus before or after the one in view. */
  move(step) {
    const { stimuli, at } = this.stimuli();
    const id = stimuli[at + step];
    if (id) this.on.select(id);
  }

  stimuli() {
    const { model, root, until } = this.view;
    const stimuli = model.stimuli.filter((id) => id <= until);
    if (root && !stimuli.includes(root)) stimuli.splice(stimuli.filter((id) => id < root).length, 0, root);
    return { stimuli, at: stimuli.indexOf(root) };
  }

  draw() {
    const { view } = this;
    const { book } = view;
    const { stimuli, at } = this.stimuli();
    say(this.title, book.ui("tree"));
    say(this.position, at < 0 ? "" : book.ui("stimulusof", { n: at + 1, count: stimuli.length }));
    label(this.previous, book.ui("previousstimulus"));
    label(this.next, book.ui("nextstimulus"));
    this.previous.disabled = at <= 0;
    this.next.disabled = at < 0 || at >= stimuli.length - 1;
    this.nodes = [];
    this.above = new Set(ancestors(view.model, view.selected));
    if (view.root) this.collect(view.root, 1, 1, 1);
    const focus = this.nodes.find((node) => node.id === view.selected) ?? this.nodes.find((node) => node.key === this.focus) ?? this.nodes[0];
    const rows = this.nodes.map((node) => this.row(node, node === focus));
    const had = this.list.contains(this.list.getRootNode().activeElement);
    arrange(this.list, rows);
    for (const key of this.rows.keys()) if (!this.nodes.some((node) => node.key === key)) this.rows.delete(key);
    if (had && focus && !this.list.contains(this.list.getRootNode().activeElement)) this.rows.get(focus.key)?.focus();
    if (view.selected !== this.shown) this.scrollTo(this.rows.get(String(view.selected)));
    this.shown = view.selected;
    say(this.empty, this.nodes.length ? "" : book.ui(view.model.records.length ? "before" : "empty"));
    this.empty.hidden = this.nodes.length > 0;
  }

  /** Bring a row into sight without moving the page. */
  scrollTo(row) {
    if (!row) return;
    const { list } = this;
    const [top, bottom] = [row.offsetTop - 30, row.offsetTop + row.offsetHeight + 30];
    if (top < list.scrollTop) list.scrollTop = top;
    else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
  }

  /** List a record and what it led to, as far as it is open and has happened. */
  collect(id, level, position, size) {
    if (this.nodes.length >= MOST) return;
    const { model, until } = this.view;
    const record = model.byId.get(id);
    const children = (model.children.get(id) ?? []).filter((child) => child <= until);
    const shut = CLOSED.has(record.kind) && !this.above.has(id) && !children.some((child) => model.trouble.has(child));
    const open = this.open.get(String(id)) ?? !shut;
    this.nodes.push({ key: String(id), id, record, level, position, size, open: children.length ? open : undefined });
    if (open) this.descend(children, level + 1);
  }

  descend(children, level) {
    const parts = this.group(children);
    parts.forEach((part, at) => {
      if (typeof part === "number") {
        this.collect(part, level, at + 1, parts.length);
        return;
      }
      const key = `more${part[0]}`;
      const open = this.open.get(key) ?? part.includes(this.view.selected);
      this.nodes.push({ key, more: part, level, position: at + 1, size: parts.length, open });
      if (open) part.forEach((id, nth) => this.collect(id, level + 1, nth + 1, part.length));
    });
  }

  /** Fold runs of siblings that say little into one node. */
  group(children) {
    const { model } = this.view;
    const parts = [];
    let run = [];
    const flush = () => {
      const keep = run.filter((id) => QUIET.has(model.byId.get(id).kind)).length === run.length ? 0 : run.length > FEW + 2 ? FEW : run.length;
      parts.push(...run.slice(0, keep));
      if (run.length > keep) parts.push(run.slice(keep));
      run = [];
    };
    for (const id of children) {
      const record = model.byId.get(id);
      const plain = !wentWrong(record) && !model.children.has(id);
      const quiet = QUIET.has(record.kind);
      if (plain && (quiet || REPEATING.has(record.kind))) {
        if (run.length && quiet !== QUIET.has(model.byId.get(run[0]).kind)) flush();
        run.push(id);
      } else {
        flush();
        parts.push(id);
      }
    }
    flush();
    return parts;
  }

  row(node, focus) {
    let row = this.rows.get(node.key);
    if (!row) {
      row = h("li", { role: "treeitem" }, h("span", { className: "twist" }), h("span", { className: "shape" }), h("span", { className: "says" }), h("span", { className: "when" }));
      row.dataset.key = node.key;
      this.rows.set(node.key, row);
      if (node.record) row.children[1].append(shape(node.record));
    }
    const { book, model, selected, root } = this.view;
    const [twist, , says, when] = row.children;
    row.tabIndex = focus ? 0 : -1;
    row.style.setProperty("--level", Math.min(node.level - 1, DEEPEST));
    attributes(row, {
      "aria-level": node.level,
      "aria-setsize": node.size,
      "aria-posinset": node.position,
      "aria-expanded": node.open,
      "aria-selected": node.id !== undefined && node.id === selected,
      class: node.more ? "more" : wentWrong(node.record) ? "wrong" : undefined,
    });
    twist.className = `twist ${node.open === undefined ? "" : node.open ? "open" : "shut"}`;
    if (node.more) {
      const names = [...new Set(node.more.map((id) => book.text[`quiet.${model.byId.get(id).kind}`] ?? model.byId.get(id).kind))];
      say(says, book.ui("more", { count: node.more.length, kinds: names.join(", ") }));
      return row;
    }
    const text = book.sentence(node.record);
    if (says.textContent !== text) {
      says.textContent = text;
      row.title = book.sentence(node.record, 2000);
    }
    const start = model.byId.get(root);
    const since = node.record.t - start.t;
    say(when, node.id === root ? moment(start.t) : `+${since < 60e9 ? book.duration(since / 1e6) : moment(since)}`);
    return row;
  }

  click(event) {
    const row = event.target.closest("li");
    const node = row && this.nodes.find((each) => each.key === row.dataset.key);
    if (!node) return;
    this.focus = node.key;
    if (node.more || (event.target.classList.contains("twist") && node.open !== undefined)) this.toggle(node);
    else this.on.select(node.id);
    row.focus();
  }

  toggle(node, open = !node.open) {
    this.open.set(node.key, open);
    this.draw();
  }

  /** The keys of a tree, as ARIA's authoring practices have them. */
  key(event) {
    const row = event.target.closest("li");
    const at = row ? this.nodes.findIndex((each) => each.key === row.dataset.key) : -1;
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const node = this.nodes[at];
    const parent = () => this.nodes.slice(0, at).findLastIndex((each) => each.level < node.level);
    const goals = {
      ArrowDown: () => this.go(at + 1),
      ArrowUp: () => this.go(at - 1),
      Home: () => this.go(0),
      End: () => this.go(this.nodes.length - 1),
      ArrowRight: () => (node.open === false ? this.toggle(node, true) : node.open && this.go(at + 1)),
      ArrowLeft: () => (node.open ? this.toggle(node, false) : this.go(parent())),
      Enter: () => (node.more ? this.toggle(node) : this.on.select(node.id)),
      " ": () => (node.more ? this.toggle(node) : this.on.select(node.id)),
    };
    if (!goals[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    this.focus = node.key;
    goals[event.key]();
  }

  go(at) {
    const node = this.nodes[at];
    if (!node) return;
    this.focus = node.key;
    for (const row of this.rows.values()) row.tabIndex = -1;
    const row = this.rows.get(node.key);
    row.tabIndex = 0;
    row.focus();
  }
}

function ancestors(model, id) {
  const found = [];
  for (let cause = model.byId.get(id)?.cause; model.byId.has(cause); cause = model.byId.get(cause).cause) found.push(cause);
  return found;
}

/** A small picture of a record, the same as on the lanes. */
function shape(record) {
  const name = glyphOf(record);
  const calls = name === "call" || name === "callerror";
  const picture = svg("svg", { viewBox: "-8 -8 16 16", "aria-hidden": "true" });
  if (GLYPHS[name] && name !== "other") picture.append(svg("path", { d: GLYPHS[name], class: `mark ${name}` }));
  else if (calls) picture.append(svg("path", { d: name === "call" ? "M0-6V0" : "M0-6v2m-4 1l8 8m-8 0l8-8", class: `pin ${name}` }), svg("circle", { r: name === "call" ? 3 : 0, cy: 2, class: "pinhead" }));
  else picture.append(...block(record));
  return picture;
}

function block(record) {
  const { kind, detail } = record;
  const bar = (name, x, width) => svg("rect", { x, y: -4, width, height: 8, rx: 2, class: `bar ${name}` });
  if (kind === "environment.created" || kind === "init.started") return [bar("init", -6, 12)];
  if (kind === "init.ended") return [bar(detail.status === "success" ? "init" : "initfailed", -6, 12)];
  if (kind === "invocation.started") return [bar("running", -6, 12)];
  if (kind === "invocation.ended") return [bar(detail.status, -6, 12)];
  if (kind === "environment.frozen") return [svg("path", { d: "M-6 0H6", class: "span frozen" })];
  if (kind === "environment.ended") return [svg("path", { d: "M0-6V6", class: "endcap" })];
  if (kind === "log.line") return [svg("path", { d: "M-5-3H5M-5 0H5M-5 3H1", class: "lines" })];
  return [svg("circle", { r: 2.5, class: "mark other" })];
}

function label(button, text) {
  if (button.title === text) return;
  button.title = text;
  button.setAttribute("aria-label", text);
}

/** Set attributes only where they differ; undefined takes one away. */
export function attributes(element, wanted) {
  for (const [name, value] of Object.entries(wanted)) {
    if (value === undefined) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}
