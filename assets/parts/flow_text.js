// One plain sentence per record, from the templates that Python sends: the twin of lessons/parts/sentences.py.
// A browser test compares the two, so a change here needs the same change there.

const LONGEST = 120;
const BLANK = /[\t\n\r ]+/g;
const HOSTILE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const SPANS = [
  ["duration", "duration_ms", 1],
  ["billed", "billed_ms", 1],
  ["after", "after_s", 1000],
  ["seconds", "seconds", 1000],
  ["visible_after", "visible_after_s", 1000],
];
const OWN = { s3: "bucket", dynamodb: "table", sqs: "queue", sns: "topic", lambda: "function", stack: "stack" };

/** The texts of one language, and everything that is said with them. */
export class Book {
  constructor(text, variants) {
    this.text = text;
    this.variants = variants;
  }

  /** A label of the component itself, with its places filled. */
  ui(name, values = {}) {
    return fill(this.text[`ui.${name}`] ?? name, values);
  }

  has(key) {
    return Object.hasOwn(this.text, key);
  }

  /** Say what happened in one sentence; `longest` says how much of a value may be shown. */
  sentence(record, longest = LONGEST) {
    const known = this.facts(record, longest);
    return fill(this.text[this.template(record, known)], known);
  }

  /** Say what caused a record: the sentence of its cause, or that it came from outside. */
  why(cause, record) {
    if (cause) return this.sentence(cause);
    const outside = ["api.call", "http.request"].includes(record.kind) && this.facts(record).by === "outside";
    return this.text[outside ? "sentence.none.outside" : "sentence.none.other"];
  }

  facts(record, longest = LONGEST) {
    const { detail, kind, resource } = record;
    const clip = (value) => clean(value, longest);
    const [service, name] = split(resource);
    const known = {};
    for (const [key, value] of Object.entries(detail)) if (value !== null) known[key] = clip(plain(value));
    known.kind = clip(kind);
    known.resource = this.resource(resource, longest);
    if (service === "environment") {
      known.environment = clip(environmentLabel(name));
      known.function ??= clip(name.slice(0, Math.max(name.lastIndexOf("/"), 0)));
    } else if (Object.hasOwn(OWN, service) && name) {
      known[OWN[service]] ??= clip(name);
    }
    const by = String(detail.by ?? "outside");
    const inside = by.startsWith("environment:");
    known.by = inside ? "environment" : by.startsWith("service:") ? "service" : "outside";
    if (inside) known.caller = clip(environmentLabel(by.slice("environment:".length)));
    else if (known.by === "service") known.caller = this.text[by.replace(":", ".")] ?? clip(by.slice("service:".length));
    if (typeof detail.service === "string") known.service = this.text[`service.${detail.service}`] ?? known.service;
    known.outcome = detail.error === null || detail.error === undefined ? "ok" : "error";
    known.start = number(detail.attempt) > 1 ? "retry" : detail.cold ? "cold" : "warm";
    const target = targetOf(known);
    if (target) known.target = target;
    const many = detail.messages ?? detail.resources;
    if (Array.isArray(many)) {
      known.count = String(many.length);
      known.number = many.length === 1 ? "one" : "many";
      const most = Math.max(0, ...many.map((message) => number(message?.receive_count) ?? 0));
      if (most > 1) known.receives = String(most);
    }
    const records = number(detail.records);
    if (records !== undefined) known.number = records === 1 ? "one" : "many";
    for (const [fact, field, inMs] of SPANS) {
      const amount = number(detail[field]);
      if (amount !== undefined) known[fact] = this.duration(amount * inMs);
    }
    const size = number(detail.size);
    if (size !== undefined) known.size = this.fileSize(size);
    return known;
  }

  template(record, known) {
    for (const names of this.variants[record.kind] ?? []) {
      const key = ["sentence", record.kind, ...names.map((name) => known[name] ?? "")].join(".");
      if (this.has(key)) return key;
    }
    return this.has(`sentence.${record.kind}`) ? `sentence.${record.kind}` : "sentence.unknown";
  }

  resource(resource, longest = LONGEST) {
    const [service, name] = split(resource);
    const template = this.has(`resource.${service}`) ? this.text[`resource.${service}`] : this.text["resource.other"];
    const label = clean(service === "environment" ? environmentLabel(name) : name, longest);
    const values = { service: this.text[`service.${service}`] ?? clean(service, longest), name: label };
    return fill(template, values).replace(/^ +| +$/g, "");
  }

  unit(name, n, digits = 0) {
    return this.text[`unit.${name}`].replace("{n}", () => rounded(n, digits));
  }

  duration(milliseconds) {
    if (milliseconds < 1000) return this.unit("ms", milliseconds, milliseconds < 10 ? 1 : 0);
    if (milliseconds < 60000) return this.unit("s", milliseconds / 1000, 2);
    const seconds = Math.floor(milliseconds / 1000 + 0.5);
    const minutes = Math.floor(seconds / 60);
    const [large, small] =
      seconds < 3600
        ? [this.unit("min", minutes), seconds % 60 && this.unit("s", seconds % 60)]
        : [this.unit("h", Math.floor(seconds / 3600)), minutes % 60 && this.unit("min", minutes % 60)];
    return small ? `${large} ${small}` : large;
  }

  fileSize(count) {
    if (count >= 1024 * 1024) return this.unit("mb", count / (1024 * 1024), 1);
    return count >= 1024 ? this.unit("kb", count / 1024, 1) : this.unit("byte", count);
  }
}

/** Fill a template; a part in square brackets goes when it names something unknown. */
export function fill(template, known) {
  const places = (part) => [...part.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  return template
    .replace(/\[([^\]]*)\]/g, (_, part) => (places(part).every((name) => Object.hasOwn(known, name)) ? part : ""))
    .replace(/\{(\w+)\}/g, (_, name) => (Object.hasOwn(known, name) ? known[name] : "?"));
}

/** Make text from outside fit for one line: no control characters, not too long. */
export function clean(value, longest = LONGEST) {
  const line = value.replace(BLANK, " ").replace(HOSTILE, "\ufffd").replace(/^ +| +$/g, "");
  const characters = line.length > longest ? [...line] : [];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join("")}…` : line;
}

/** Write a virtual instant as time since the cloud's epoch: 0.312 s is `0:00.312`. */
export function moment(t) {
  const milliseconds = Math.floor(t / 1e6);
  const two = (n) => String(n).padStart(2, "0");
  const seconds = Math.floor(milliseconds / 1000) % 60;
  const minutes = Math.floor(milliseconds / 60000) % 60;
  const hours = Math.floor(milliseconds / 3600000);
  const rest = `${two(seconds)}.${String(milliseconds % 1000).padStart(3, "0")}`;
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** Write `thumbnail/1` as `thumbnail / 1`. */
export function environmentLabel(name) {
  const slash = name.lastIndexOf("/");
  return slash > 0 ? `${name.slice(0, slash)} / ${name.slice(slash + 1)}` : name;
}

export function split(resource) {
  const colon = resource.indexOf(":");
  return colon < 0 ? [resource, ""] : [resource.slice(0, colon), resource.slice(colon + 1)];
}

function targetOf(known) {
  if ("bucket" in known) return "key" in known ? `${known.bucket}/${known.key}` : known.bucket;
  if ("table" in known) return "item_key" in known ? `${known.table} (${known.item_key})` : known.table;
  return known.queue ?? known.function ?? "";
}

function plain(value) {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function number(value) {
  return typeof value === "number" ? value : undefined;
}

function rounded(n, digits) {
  const unit = 10 ** digits;
  const whole = Math.floor(n * unit + 0.5);
  if (!digits) return String(whole);
  const text = `${Math.floor(whole / unit)}.${String(whole % unit).padStart(digits, "0")}`;
  return text.replace(/0+$/, "").replace(/\.$/, "");
}
