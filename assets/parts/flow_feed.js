// The live line to the app: one WebSocket that comes back by itself and asks only for what it has not seen.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;

/** Keep a WebSocket to `run` open. `last()` gives the id of the newest known record; `heard(message)` gets each message. */
export class Feed {
  constructor(run, last, heard, status) {
    const url = new URL(run, document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    Object.assign(this, { run, url: url.href, last, heard, status, wait: FIRST_WAIT, closed: false });
    this.status("connecting");
    this.open();
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      socket.send(JSON.stringify({ after: this.last() }));
    };
    socket.onmessage = (event) => {
      if (this.closed) return;
      let message;
      try {
        message = JSON.parse(event.data);
      } catch {
        return;
      }
      this.wait = FIRST_WAIT;
      this.status(message.type === "gone" ? "gone" : "open");
      this.heard(message);
      // Other parts of the page may want to know that something happened: assets/parts/signals.js does.
      window.dispatchEvent(new CustomEvent("lab-news", { detail: { run: this.run, type: message.type, last: this.last() } }));
      if (message.type === "gone") this.close();
    };
    socket.onclose = () => {
      if (this.closed) return;
      this.status("reconnecting");
      // Spread the returns: a whole class loses its connections at the same moment.
      this.timer = setTimeout(() => this.open(), this.wait * (0.5 + Math.random()));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    };
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
