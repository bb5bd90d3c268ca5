// Virtual time on a line of pixels. One scale everywhere, except where a long quiet stretch is folded to a fixed width:
// events 3 ms apart and then 60 s apart both stay readable, and every fold is marked.

const FOLDED = 54; // px of a folded stretch
const HUGE = 1.5; // a stretch without any event is folded when it would take this many views
const TAIL = 120; // px that quiet time after the last event takes at most
const START = 14; // px before the first event
const GOOD = 70; // px that a typical INIT or INVOKE gets if folding waits of a second or more can give it
const READABLE = 19; // px that it gets in any case
const POOR = 13; // px below which shorter waits are folded too
const FASTEST = 2.2 / 1e6; // px per ns: no need to start closer than this
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n * 1e3).concat(
  [1, 2, 5, 10, 20, 50, 100, 200, 500].map((n) => n * 1e6),
  [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400].map((n) => n * 1e9),
);

export class Axis {
  constructor(model) {
    this.model = model;
    this.scale = FASTEST;
    this.fold = Infinity; // quiet stretches from this many ns on are folded
    this.times = [];
    this.xs = [];
    this.folds = [];
    this.width = 0;
  }

  /** Choose scale and folding for a view of `width` px. Fold only when what runs would otherwise be too small to see. */
  choose(width, now) {
    const room = Math.max(width - START - TAIL - 16, 160);
    const { classes, total, typical } = this.measure(now);
    const readable = Math.min(READABLE / typical, FASTEST);
    const scale = (folded) => Math.min(Math.max(room - folded.count * FOLDED, room / 3) / Math.max(total - folded.length, 1), FASTEST);
    let folded = { from: Infinity, count: 0, length: 0 };
    for (const next of classes) {
      const long = next.from >= 1e9;
      if (next.from < 250e6 || scale(folded) >= Math.min((long ? GOOD : POOR) / typical, FASTEST)) break;
      folded = next;
    }
    // When it needs scrolling anyway, folding waits of less than a second has won nothing.
    if (scale(folded) < readable && folded.from < 1e9) folded = classes.findLast((each) => each.from >= 1e9) ?? { ...folded, from: Infinity };
    this.fold = folded.from;
    this.scale = Math.max(scale(folded), readable);
  }

  /** Show everything in a view of `width` px, with as much folding as there is room for. */
  whole(width) {
    const { classes, total } = this.measure();
    this.fold = classes.findLast((each) => each.from >= 1e9 && each.count * FOLDED < width / 2)?.from ?? Infinity;
    this.scale = this.smallest(width, total);
  }

  smallest(width, total = this.measure().total) {
    let low = Math.log(16 / Math.max(total, 1e6));
    let high = Math.log(FASTEST * 30);
    for (let round = 0; round < 24; round += 1) {
      const middle = (low + high) / 2;
      if (this.extent(Math.exp(middle), width) > width - 40) high = middle;
      else low = middle;
    }
    return Math.exp(low);
  }

  measure(now = 0) {
    const { times, busy, lanes, running } = this.model;
    const quiet = [];
    for (let at = 1; at < times.length; at += 1) {
      if (busy[at - 1] === 0 && times[at] > times[at - 1]) quiet.push(times[at] - times[at - 1]);
    }
    const lengths = [];
    for (const lane of lanes.values()) {
      for (const span of lane.spans) {
        if ((span.type === "init" || span.type === "invoke") && span.end) lengths.push(span.end.t - span.start.t);
      }
    }
    lengths.sort((a, b) => a - b);
    const typical = Math.max(lengths[lengths.length >> 1] ?? 100e6, 1e6);
    const last = times[times.length - 1] ?? 0;
    return { classes: classesOf(quiet), total: (running ? Math.max(last, now) : last) - (times[0] ?? 0), typical };
  }

  isFold(gap, quiet, scale, width) {
    return (quiet && gap >= this.fold) || gap * scale > HUGE * width;
  }

  extent(scale, width) {
    const { times, busy } = this.model;
    let x = START;
    for (let at = 1; at < times.length; at += 1) {
      const gap = times[at] - times[at - 1];
      x += this.isFold(gap, busy[at - 1] === 0, scale, width) ? FOLDED : gap * scale;
    }
    return x;
  }

  /** Lay the events out; `now` is the current virtual time and `width` that of the view. */
  layout(now, width) {
    const { times, busy } = this.model;
    this.times = [];
    this.xs = [];
    this.folds = [];
    let x = START;
    for (let at = 0; at < times.length; at += 1) {
      if (at && times[at] > times[at - 1]) {
        const gap = times[at] - times[at - 1];
        const isFold = this.isFold(gap, busy[at - 1] === 0, this.scale, width);
        const wide = isFold ? FOLDED : gap * this.scale;
        if (isFold) this.folds.push({ from: times[at - 1], to: times[at], x, end: x + wide });
        x += wide;
      }
      if (!at || times[at] > times[at - 1]) {
        this.times.push(times[at]);
        this.xs.push(x);
      }
    }
    const last = times[times.length - 1];
    this.width = x;
    if (last === undefined || now <= last) return;
    // What is running may stretch as far as it likes; quiet time only a little, and then it counts in its label.
    const wide = (now - last) * this.scale;
    const limit = this.model.running ? HUGE * width : TAIL;
    const tail = Math.min(wide, limit);
    if (wide > limit) this.folds.push({ from: last, to: now, x, end: x + tail, open: true });
    this.times.push(now);
    this.xs.push(x + tail);
    this.width = x + tail;
  }

  /** Pixel of a virtual instant. */
  x(t) {
    const { times, xs } = this;
    if (!times.length) return START;
    if (t <= times[0]) return xs[0];
    const at = firstAbove(times, t);
    if (at === times.length) return xs[xs.length - 1];
    const share = (t - times[at - 1]) / (times[at] - times[at - 1]);
    return xs[at - 1] + share * (xs[at] - xs[at - 1]);
  }

  /** Virtual instant of a pixel. */
  t(x) {
    const { times, xs } = this;
    if (!times.length) return 0;
    if (x <= xs[0]) return times[0];
    const at = firstAbove(xs, x);
    if (at === xs.length) return times[times.length - 1];
    const share = (x - xs[at - 1]) / (xs[at] - xs[at - 1]);
    return times[at - 1] + share * (times[at] - times[at - 1]);
  }

  /** Ticks between two pixels: round numbers on the unfolded runs, and the start of every run that follows a fold. */
  ticks(from, to) {
    if (!this.times.length) return [];
    const step = STEPS.find((each) => each * this.scale >= 76) ?? STEPS[STEPS.length - 1];
    const ticks = [];
    let start = { t: this.times[0], x: this.xs[0] };
    const ends = [...this.folds, { from: this.times[this.times.length - 1], x: this.width, to: null }];
    for (const fold of ends) {
      if (fold.x >= from && start.x <= to) this.run(start, fold, step, Math.max(from, start.x), to, ticks);
      start = { t: fold.to, x: fold.end };
      if (start.x > to || fold.open) break;
    }
    return ticks;
  }

  run(start, fold, step, from, to, ticks) {
    const first = this.t(from);
    const rounded = [];
    for (let t = Math.ceil(first / step) * step; t <= fold.from; t += step) {
      const x = this.x(t);
      if (x > to + 40 || rounded.length > 80) break;
      if (x - start.x > 52 || t === start.t) rounded.push({ t, x, label: tickLabel(t, step) });
    }
    const early = start.x >= from - 40 && rounded[0]?.t !== start.t;
    if (early) ticks.push({ t: start.t, x: start.x, label: tickLabel(start.t, Math.min(step, 1e7)) });
    ticks.push(...rounded);
  }
}

/** Quiet stretches from the longest on, those of about the same length together: folding one of them and not the other
 * would lie about which was longer. Each class tells what folding it and all longer ones amounts to. */
function classesOf(quiet) {
  quiet.sort((a, b) => b - a);
  const classes = [];
  let [count, length] = [0, 0];
  while (count < quiet.length) {
    for (const longest = quiet[count]; count < quiet.length && quiet[count] > longest / 2; count += 1) length += quiet[count];
    classes.push({ from: quiet[count - 1], count, length });
  }
  return classes;
}

/** Write a tick as short as its step allows: 250 ms, 1.25 s, 2:05, 1:00:05. */
export function tickLabel(t, step) {
  const digits = step >= 1e9 ? 0 : step >= 1e8 ? 1 : step >= 1e7 ? 2 : step >= 1e6 ? 3 : 6;
  if (t < 1e9) return `${trim((t / 1e6).toFixed(step >= 1e6 ? 0 : 3))} ms`;
  const units = 10 ** digits;
  const whole = Math.floor((t / 1e9) * units + 1e-6);
  const seconds = Math.floor(whole / units);
  const rest = digits ? `.${String(whole % units).padStart(digits, "0")}` : "";
  if (seconds < 60) return `${seconds}${rest} s`;
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}${rest}` : `${minutes}:${two(seconds % 60)}${rest}`;
}

function trim(text) {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

function firstAbove(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
