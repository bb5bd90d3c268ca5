// Small helpers over the DOM. Everything that comes from a learner's cloud goes through textContent or an attribute.

const SVG = "http://www.w3.org/2000/svg";

/** Create an HTML element; properties with a dash or starting with "role" are attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Create an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Set text only where it differs, so that selections and screen readers are left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** An icon of the controls: one stroked path in a 16 x 16 box. */
export function icon(path) {
  return svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, svg("path", { d: path }));
}

/** A group of SVG elements that are kept by key and changed in place from one drawing to the next. */
export class Layer {
  constructor(name) {
    this.group = svg("g", { class: name });
    this.kept = new Map();
    this.round = 0;
  }

  begin() {
    this.round += 1;
  }

  /** Draw one element: create it under its key, or change only those attributes that differ. */
  put(key, tag, attributes, text) {
    let drawn = this.kept.get(key);
    if (!drawn) {
      drawn = { element: svg(tag), attributes: {}, text: undefined, round: 0 };
      this.kept.set(key, drawn);
      this.group.append(drawn.element);
    }
    drawn.round = this.round;
    for (const name in attributes) {
      const value = attributes[name];
      if (drawn.attributes[name] === value) continue;
      drawn.attributes[name] = value;
      if (value === null || value === undefined) drawn.element.removeAttribute(name);
      else drawn.element.setAttribute(name, typeof value === "number" ? String(Math.round(value * 100) / 100) : value);
    }
    if (text !== undefined && drawn.text !== text) {
      drawn.text = text;
      drawn.element.textContent = text;
    }
    return drawn.element;
  }

  /** Remove what this round did not draw. */
  end() {
    for (const [key, drawn] of this.kept) {
      if (drawn.round === this.round) continue;
      drawn.element.remove();
      this.kept.delete(key);
    }
  }
}

/** Make `parent` hold exactly these children, in this order, moving as few as possible. */
export function arrange(parent, children) {
  let next = parent.firstChild;
  for (const child of children) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/** Guess how wide a line of text is, without asking the layout. Hangul is about twice as wide as Latin. */
export function roughWidth(text, size) {
  let units = 0;
  for (const character of text) units += character.codePointAt(0) > 0x1100 ? 0.94 : 0.56;
  return units * size;
}

/** Cut a line to a width; the caller keeps the full text in a title. */
export function fit(text, size, width) {
  if (roughWidth(text, size) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && roughWidth(characters.join("") + "…", size) > width) characters.pop();
  return characters.join("") + "…";
}
