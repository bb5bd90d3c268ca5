// What the flow view says in words beside its drawings: the state of the connection, announcements, a summary.

import { h, say } from "./flow_dom.js";
import { attributes } from "./flow_tree.js";

const SPEAK_WAIT = 1600; // ms between announcements

export class Words {
  constructor(view) {
    this.view = view;
    this.status = h("p", { className: "status", role: "status" });
    this.live = h("div", { className: "spoken", "aria-live": "polite" });
    this.empty = h("p", { className: "empty start" });
    this.news = 0;
  }

  draw(connection, lanes) {
    const { model, book } = this.view;
    const words = connection === "gone" || connection === "reconnecting" ? book.ui(connection) : "";
    say(this.status, words);
    this.status.hidden = !words;
    say(this.empty, book.ui("empty"));
    this.empty.hidden = model.records.length > 0;
    if (this.summed === model.version && this.book === book && this.model === model) return;
    Object.assign(this, { summed: model.version, book, model });
    const summary = this.summary();
    attributes(lanes.scroller, { "aria-label": `${book.ui("lanes")}. ${summary}` });
    attributes(lanes.svg, { "aria-label": summary });
  }

  summary() {
    const { model, book } = this.view;
    const of = (kind) => model.records.filter((record) => record.kind === kind);
    return book.ui("lanessummary", {
      environments: of("environment.created").length,
      invocations: of("invocation.started").length,
      failed: of("invocation.ended").filter((record) => record.detail.status !== "success").length,
      retries: of("retry.scheduled").length,
      throttles: of("invocation.throttled").length,
    });
  }

  /** Announce news in batches, so that a screen reader is not flooded. */
  announce(count) {
    this.news += count;
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      const { book, model } = this.view;
      const latest = model.records[model.records.length - 1];
      if (latest) say(this.live, book.ui(this.news === 1 ? "announceone" : "announce", { count: this.news, sentence: book.sentence(latest) }));
      this.news = 0;
    }, SPEAK_WAIT);
  }

  tell(record) {
    if (record) say(this.live, this.view.book.sentence(record));
  }

  close() {
    clearTimeout(this.waiting);
  }
}
