// Small signals between the page and Python. Python's half is lessons/parts/signals.py.

const QUIET_MS = 250; // how long nothing new must come before Python is told
const LONGEST_MS = 1200; // ... or at the latest after this
const PATIENCE_MS = 3000; // how long a place to scroll to may take to appear

class News {
  constructor(component) {
    this.component = component;
    this.heard = ({ detail }) => this.hear(detail);
    window.addEventListener("lab-news", this.heard);
  }

  hear({ run, type, last }) {
    if (run !== this.component.data.run) return;
    this.gone = type === "gone";
    this.last = last;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.tell(), QUIET_MS);
    this.longest ??= setTimeout(() => this.tell(), LONGEST_MS);
  }

  tell() {
    clearTimeout(this.quiet);
    clearTimeout(this.longest);
    this.longest = undefined;
    const { data, setTriggerValue } = this.component;
    // What Python showed when it drew the page is no news to it.
    if (this.last <= data.known && !this.gone) return;
    setTriggerValue("news", this.gone ? -1 : this.last);
  }

  close() {
    clearTimeout(this.quiet);
    clearTimeout(this.longest);
    window.removeEventListener("lab-news", this.heard);
  }
}

const listeners = new WeakMap();

export function news(component) {
  const host = component.parentElement.querySelector(".signal");
  if (listeners.has(host)) listeners.get(host).component = component;
  else listeners.set(host, new News(component));
  return () => {
    listeners.get(host)?.close();
    listeners.delete(host);
  };
}

const turns = new Map(); // how often each place was scrolled to

export function scroll({ data }) {
  if (data.turn <= (turns.get(data.to) ?? 0)) return;
  turns.set(data.to, data.turn);
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const until = performance.now() + PATIENCE_MS;
  const go = () => {
    const place = document.querySelector(`.st-key-${CSS.escape(data.to)}`);
    if (place?.getBoundingClientRect().height > 40) place.scrollIntoView({ behavior, block: "start" });
    else if (performance.now() < until) setTimeout(go, 100);
  };
  go();
}

// Streamlit's own words for those who hear the page are English. Give them in the page's language, and say what that is.
let spoken;

function speak() {
  const { labels, texts } = spoken;
  for (const [label, said] of Object.entries(labels))
    for (const element of document.querySelectorAll(`[aria-label="${label}"], img[alt="${label}"]`)) {
      if (element.hasAttribute("alt")) element.alt = said;
      else element.setAttribute("aria-label", said);
    }
  // The icons only repeat what stands beside them.
  for (const icon of document.querySelectorAll('[role="img"][aria-label$=" icon"]:not([aria-hidden])')) icon.setAttribute("aria-hidden", "true");
  for (const link of document.querySelectorAll("a"))
    if (link.childElementCount === 0 && texts[link.textContent]) link.textContent = texts[link.textContent];
}

export function language({ data }) {
  const watching = spoken !== undefined;
  spoken = data;
  document.documentElement.lang = data.language;
  speak();
  if (watching) return;
  let waiting;
  new MutationObserver(() => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      speak();
    }, 300);
  }).observe(document.body, { childList: true, subtree: true });
}
