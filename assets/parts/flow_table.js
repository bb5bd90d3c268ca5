// The accessible twin: the same records as a table, and one record in full.

import { arrange, h, say } from "./flow_dom.js";
import { attributes } from "./flow_tree.js";
import { moment } from "./flow_text.js";

const PAGE = 50;
const COLUMNS = ["time", "what", "resource", "why", "id"];

export class Table {
  constructor(view, on) {
    this.view = view;
    this.on = on;
    this.page = null; // null follows the time cursor
    this.rows = new Map();
    this.caption = h("caption");
    this.heads = COLUMNS.map(() => h("th", { scope: "col" }));
    this.body = h("tbody");
    const table = h("table", {}, this.caption, h("thead", {}, h("tr", {}, ...this.heads)), this.body);
    this.previous = h("button", { type: "button", onclick: () => this.turn(-1) });
    this.next = h("button", { type: "button", onclick: () => this.turn(1) });
    this.where = h("span");
    this.pager = h("div", { className: "pager" }, this.previous, this.where, this.next);
    this.summary = h("summary");
    this.element = h("details", { className: "table" }, this.summary, h("div", { className: "scroll" }, table), this.pager);
    this.element.addEventListener("toggle", () => this.draw());
    this.table = table;
  }

  turn(step) {
    this.page = this.shownPage + step;
    this.draw();
  }

  draw() {
    const { view } = this;
    const { book, model } = view;
    say(this.summary, book.ui("opentable"));
    if (!this.element.open) return;
    say(this.caption, book.ui("caption"));
    COLUMNS.forEach((name, at) => say(this.heads[at], book.ui(name)));
    const count = view.count;
    const pages = Math.max(Math.ceil(count / PAGE), 1);
    const current = model.indexOf(view.selected);
    if (this.followed !== view.selected) this.page = null;
    this.followed = view.selected;
    const wanted = this.page ?? Math.floor((current >= 0 && current < count ? current : count - 1) / PAGE);
    this.shownPage = Math.min(Math.max(wanted, 0), pages - 1);
    if (this.page !== null && this.shownPage === pages - 1) this.page = null;
    const first = this.shownPage * PAGE;
    const shown = model.records.slice(first, Math.min(first + PAGE, count));
    attributes(this.table, { "aria-rowcount": count + 1 });
    arrange(this.body, shown.map((record, at) => this.row(record, first + at + 2)));
    const kept = new Set(shown.map((record) => record.id));
    for (const id of this.rows.keys()) if (!kept.has(id)) this.rows.delete(id);
    this.pager.hidden = pages === 1;
    say(this.previous, book.ui("previouspage"));
    say(this.next, book.ui("nextpage"));
    this.previous.disabled = this.shownPage === 0;
    this.next.disabled = this.shownPage === pages - 1;
    say(this.where, book.ui("pageof", { first: first + 1, last: first + shown.length, count }));
  }

  row(record, index) {
    const { book, model, selected } = this.view;
    let row = this.rows.get(record.id);
    if (!row || row.book !== book) {
      const pick = h("button", { type: "button", onclick: () => this.on.select(record.id) }, String(record.id));
      const cells = [
        moment(record.t),
        book.sentence(record),
        book.resource(record.resource),
        book.why(model.byId.get(record.cause), record),
      ].map((text) => h("td", { textContent: text }));
      cells[1].title = book.sentence(record, 2000);
      row = { element: h("tr", {}, ...cells, h("td", {}, pick)), book };
      this.rows.set(record.id, row);
    }
    attributes(row.element, { "aria-rowindex": index, "aria-current": record.id === selected ? "true" : undefined });
    return row.element;
  }
}

/** One record in full: its sentence, its cause and every value that it carries. */
export class Detail {
  constructor(view, on) {
    this.view = view;
    this.on = on;
    this.title = h("h3");
    this.body = h("div", { className: "body" });
    this.element = h("section", { className: "detail" }, this.title, this.body);
  }

  draw() {
    const { book, model, selected, until } = this.view;
    const record = model.byId.get(selected);
    const shown = record && record.id <= until ? record : null;
    const children = shown ? (model.children.get(shown.id) ?? []).filter((id) => id <= until).length : 0;
    say(this.title, book.ui("detail"));
    const state = `${shown?.id}/${children}`;
    if (state === this.state && this.book === book) return;
    this.state = state;
    this.book = book;
    if (!shown) {
      this.body.replaceChildren(h("p", { className: "empty", textContent: book.ui("nothing") }));
      return;
    }
    const cause = model.byId.get(shown.cause);
    const why = h("p", { className: "why" }, h("span", { className: "quietly", textContent: `${book.ui("because")} ` }));
    if (cause) why.append(h("button", { type: "button", className: "link", title: book.ui("gotocause"), textContent: book.sentence(cause), onclick: () => this.on.select(cause.id) }));
    else why.append(book.why(undefined, shown));
    const followed = children ? book.ui(children === 1 ? "followedone" : "followed", { count: children }) : book.ui("followednone");
    this.body.replaceChildren(
      h("p", { className: "sentence", textContent: book.sentence(shown, 2000) }),
      why,
      h("p", { className: "quietly", textContent: followed }),
      values([[book.ui("id"), String(shown.id)], [book.ui("time"), moment(shown.t)], ["kind", shown.kind], ["resource", shown.resource], ...entries(shown.detail)]),
    );
    const measured = entries(shown.measured);
    if (measured.length) this.body.append(h("p", { className: "quietly", textContent: book.ui("measured") }), values(measured));
  }
}

function entries(values_) {
  return Object.entries(values_).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
}

function values(pairs) {
  return h("dl", {}, ...pairs.flatMap(([name, value]) => [h("dt", { textContent: name }), h("dd", { textContent: clip(value), title: value })]));
}

function clip(text) {
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
