// Uploads one file at a time to a route of the app. Python's half is lessons/parts/upload.py.

const UNITS = ["B", "KB", "MB", "GB"];

// A file is rounded up and the cap down, so that one byte too many does not read as just right.
function sizeOf(bytes, round = Math.ceil) {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 100 ? 1 : 10;
  return `${round(amount * digits) / digits} ${UNITS[unit]}`;
}

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

// The rules of an <input accept>: ".png", "image/*", "image/png".
function accepted(file, accept) {
  const rules = accept.split(",").map((rule) => rule.trim().toLowerCase()).filter(Boolean);
  const name = file.name.toLowerCase();
  const type = file.type.toLowerCase();
  return (
    rules.length === 0 ||
    rules.some((rule) => {
      if (rule.startsWith(".")) return name.endsWith(rule);
      return rule.endsWith("/*") ? type.startsWith(rule.slice(0, -1)) : type === rule;
    })
  );
}

class Upload {
  #component;
  #parts = {};
  #request;
  #picture;
  #outside = new AbortController();

  constructor(host, component) {
    this.#component = component;
    for (const name of ["zone", "choose", "input", "picture", "progress", "cancel", "status", "problem"])
      this.#parts[name] = host.querySelector(`.${name}`);
    const { zone, choose, input, cancel } = this.#parts;

    choose.onclick = (event) => {
      event.stopPropagation();
      input.click();
    };
    zone.onclick = (event) => {
      if (event.target !== cancel && event.target !== input) input.click();
    };
    cancel.onclick = () => this.#request?.abort();
    input.onchange = () => {
      this.#take(input.files);
      input.value = ""; // so that the same file can be chosen again
    };

    let depth = 0; // dragenter and dragleave also come from the elements inside the zone
    const mark = (change) => {
      depth = Math.max(0, depth + change);
      zone.classList.toggle("over", depth > 0);
    };
    zone.ondragenter = (event) => {
      event.preventDefault();
      mark(1);
    };
    zone.ondragleave = () => mark(-1);
    zone.ondrop = (event) => {
      mark(-Infinity);
      this.#take(event.dataTransfer.files);
    };
    // A file dropped beside the zone would otherwise replace the page.
    for (const name of ["dragover", "drop"])
      window.addEventListener(
        name,
        (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault(),
        { signal: this.#outside.signal },
      );
    this.update(component);
  }

  update(component) {
    this.#component = component;
    const { labels, accept, max_bytes } = component.data;
    const { zone, choose, input, cancel } = this.#parts;
    zone.querySelector(".invite").textContent = labels.drop;
    zone.querySelector(".limit").textContent = filled(labels.limit, { cap: sizeOf(max_bytes, Math.floor) });
    choose.textContent = labels.choose;
    cancel.textContent = labels.cancel;
    input.accept = accept;
    input.setAttribute("aria-label", labels.choose);
  }

  destroy() {
    this.#outside.abort();
    this.#request?.abort();
    this.#forget();
  }

  #take(files) {
    const [file] = files;
    if (!file || this.#request) return;
    const { labels, accept, max_bytes } = this.#component.data;
    const values = { name: file.name, size: sizeOf(file.size), cap: sizeOf(max_bytes, Math.floor) };
    this.#say("");
    this.#forget();
    if (files.length > 1) this.#complain(labels.one_file);
    else if (!accepted(file, accept)) this.#complain(filled(labels.refused, values));
    else if (file.size > max_bytes) this.#complain(filled(labels.too_big, values));
    else this.#send(file, values);
  }

  #send(file, values) {
    const { url, labels } = this.#component.data;
    const { zone, progress } = this.#parts;
    const target = new URL(url, document.baseURI);
    target.searchParams.set("name", file.name);

    const request = new XMLHttpRequest();
    this.#request = request;
    const progressed = (share) => {
      progress.value = share;
      const percent = Math.floor(share * 100);
      progress.setAttribute("aria-label", filled(labels.sending, { ...values, percent }));
      this.#parts.status.textContent = filled(labels.sending, { ...values, percent });
    };
    const failed = () => this.#complain(filled(labels.failed, values));
    request.upload.onprogress = ({ loaded, total }) => progressed(total ? loaded / total : 0);
    request.onerror = failed;
    request.onabort = () => this.#say("");
    request.onload = () => {
      const answer = request.response;
      if (request.status !== 200 || !answer?.id) {
        if (answer?.error) this.#complain(answer.error);
        else failed();
        return;
      }
      this.#say(filled(labels.sent, values));
      this.#show(file);
      this.#component.setTriggerValue("uploaded", { id: answer.id, name: answer.name, size: answer.size });
    };
    request.onloadend = () => {
      this.#request = undefined;
      zone.classList.remove("sending");
    };

    zone.classList.add("sending");
    progressed(0);
    request.open("POST", target);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(file);
  }

  #show(file) {
    if (!file.type.startsWith("image/")) return;
    const { picture } = this.#parts;
    picture.onload = () => (picture.hidden = false);
    picture.onerror = () => this.#forget(); // named like a picture, or a kind that this browser cannot draw
    picture.alt = file.name;
    picture.src = this.#picture = URL.createObjectURL(file);
  }

  #forget() {
    this.#parts.picture.hidden = true;
    if (this.#picture) URL.revokeObjectURL(this.#picture);
    this.#picture = undefined;
  }

  #say(text) {
    this.#parts.status.textContent = text;
    this.#parts.problem.textContent = "";
  }

  #complain(text) {
    this.#parts.status.textContent = "";
    this.#parts.problem.textContent = text;
  }
}

const uploads = new WeakMap();

export function upload(component) {
  const host = component.parentElement.querySelector(".upload");
  if (uploads.has(host)) uploads.get(host).update(component);
  else uploads.set(host, new Upload(host, component));
  return () => {
    uploads.get(host)?.destroy();
    uploads.delete(host);
  };
}
