// The code editor and the diff view. Python's half is lessons/parts/editor.py; `cm` is assets/vendor/codemirror.js.

const QUIET_MS = 400; // how long the learner pauses before the draft goes to the server

const KOREAN = {
  "close": "닫기",
  "Find": "찾기",
  "Replace": "바꿀 말",
  "next": "다음",
  "previous": "이전",
  "all": "모두",
  "match case": "대소문자 구분",
  "by word": "단어 단위",
  "regexp": "정규식",
  "replace": "바꾸기",
  "replace all": "모두 바꾸기",
  "current match": "현재 위치",
  "on line": "줄:",
  "replaced match on line $": "$번째 줄에서 바꿨어요",
  "replaced $ matches": "$곳을 바꿨어요",
  "Go to line": "이동할 줄",
  "go": "이동",
  "Diagnostics": "문제 목록",
  "No diagnostics": "문제가 없어요",
  "Completions": "자동 완성",
  "Control character": "제어 문자",
  "Selection deleted": "선택한 내용을 지웠어요",
  "$ unchanged lines": "바뀌지 않은 $줄",
};

const phrases = (cm, lang) => (lang === "ko" ? cm.EditorState.phrases.of(KOREAN) : []);

function highlighting(cm) {
  const { tags: t } = cm;
  const color = (name, tags, rest = {}) => ({ tag: tags, color: `var(--st-${name}-text-color)`, ...rest });
  return cm.syntaxHighlighting(
    cm.HighlightStyle.define([
      color("violet", [t.keyword, t.operatorKeyword, t.controlKeyword, t.definitionKeyword, t.moduleKeyword, t.self]),
      color("green", [t.string, t.special(t.string), t.regexp]),
      color("orange", [t.number, t.bool, t.null, t.escape]),
      color("blue", [t.function(t.variableName), t.function(t.definition(t.variableName)), t.className]),
      color("blue", t.definition(t.className), { fontWeight: "600" }),
      color("gray", [t.comment, t.docString]),
      color("red", t.invalid),
    ]),
  );
}

// What both views show: Python, line numbers, this page's colours and language.
const shown = (cm, lang) => [
  cm.lineNumbers(),
  cm.highlightSpecialChars(),
  cm.python(),
  highlighting(cm),
  phrases(cm, lang),
  cm.EditorView.lineWrapping,
];

class Editor {
  #cm;
  #host;
  #view;
  #component;
  #rev;
  #sent; // what the server has: never sent twice
  #timer;
  #settings;
  #applied; // what of the last data is on the screen
  #external;

  constructor(host, component, cm) {
    this.#cm = cm;
    this.#host = host;
    this.#component = component;
    this.#rev = component.data.rev;
    this.#settings = new cm.Compartment();
    this.#external = cm.Annotation.define();
    this.#applied = {};
    this.#view = new cm.EditorView({
      root: component.parentElement,
      parent: host.querySelector(".code"),
      doc: component.data.code,
      extensions: this.#extensions(),
    });
    this.#sent = this.#code;
    this.#apply();
  }

  // The functions that reach the server change from call to call; the document does not follow the data, only its `rev`.
  update(component) {
    this.#component = component;
    this.#apply();
  }

  destroy() {
    clearTimeout(this.#timer);
    this.#view.destroy();
  }

  get #code() {
    return this.#view.state.doc.toString();
  }

  #extensions() {
    const cm = this.#cm;
    const run = () => {
      this.#flush();
      this.#component.setTriggerValue("run", { rev: this.#rev, code: this.#code });
      return true;
    };
    const save = () => {
      this.#flush();
      return true;
    };
    return [
      this.#settings.of([]),
      cm.Prec.highest(cm.keymap.of([{ key: "Mod-Enter", run, preventDefault: true }])),
      cm.highlightActiveLine(),
      cm.highlightActiveLineGutter(),
      cm.history(),
      cm.drawSelection(),
      cm.indentUnit.of("    "),
      cm.EditorState.tabSize.of(4),
      cm.indentOnInput(),
      cm.bracketMatching(),
      cm.closeBrackets(),
      cm.highlightSelectionMatches(),
      cm.search({ top: true }),
      cm.lintGutter(),
      // Only when asked for with Ctrl+Space: a list that opens by itself takes Enter and Esc away from a beginner.
      cm.autocompletion({ activateOnTyping: false }),
      cm.keymap.of([
        { key: "Mod-s", run: save, preventDefault: true },
        ...cm.closeBracketsKeymap,
        ...cm.completionKeymap,
        { key: "Tab", run: cm.acceptCompletion },
        cm.indentWithTab,
        ...cm.searchKeymap,
        ...cm.lintKeymap,
        ...cm.historyKeymap,
        ...cm.defaultKeymap,
      ]),
      cm.EditorView.domEventHandlers({ blur: () => void this.#flush() }),
      cm.EditorView.updateListener.of((update) => {
        if (!update.docChanged || update.transactions.some((each) => each.annotation(this.#external))) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#flush(), QUIET_MS);
      }),
    ];
  }

  #flush() {
    clearTimeout(this.#timer);
    const code = this.#code;
    if (code === this.#sent) return;
    this.#sent = code;
    this.#component.setStateValue("draft", { rev: this.#rev, code });
  }

  #apply() {
    // A change to the view in the middle of a Korean syllable would break the syllable off.
    if (this.#view.composing) {
      setTimeout(() => this.#view.dom.isConnected && this.#apply(), 100);
      return;
    }
    const { data } = this.#component;
    const changed = (name, value) => {
      const text = JSON.stringify(value);
      if (this.#applied[name] === text) return false;
      this.#applied[name] = text;
      return true;
    };
    if (data.rev !== this.#rev) this.#replace(data);
    if (changed("settings", [data.label, data.read_only, data.lang])) this.#configure(data);
    if (changed("hint", data.hint)) this.#host.querySelector(".hint").textContent = data.hint;
    if (changed("height", data.height)) this.#host.style.setProperty("--height", `${data.height}px`);
    if (changed("diagnostics", [data.rev, data.diagnostics])) this.#diagnose(data.diagnostics);
  }

  #replace({ rev, code }) {
    clearTimeout(this.#timer);
    this.#rev = rev;
    this.#view.dispatch({
      changes: { from: 0, to: this.#view.state.doc.length, insert: code },
      selection: { anchor: 0 },
      scrollIntoView: true,
      // One step of its own: undo brings the learner's text back.
      annotations: [this.#external.of(true), this.#cm.isolateHistory.of("full")],
    });
    this.#sent = this.#code;
  }

  #configure({ label, read_only, lang }) {
    const cm = this.#cm;
    this.#view.dispatch({
      effects: this.#settings.reconfigure([
        shown(cm, lang),
        cm.EditorState.readOnly.of(read_only),
        cm.EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": "hint" }),
      ]),
    });
  }

  #diagnose(diagnostics) {
    const { doc } = this.#view.state;
    const line = (number) => doc.line(Math.min(Math.max(1, number), doc.lines));
    this.#view.dispatch(
      this.#cm.setDiagnostics(
        this.#view.state,
        diagnostics.map(({ line: number, message }) => {
          const { from, to, text } = line(number);
          return { from: from + text.length - text.trimStart().length, to, severity: "error", message };
        }),
      ),
    );
    const items = diagnostics.map(({ line: number, message }) => {
      const button = document.createElement("button");
      const place = document.createElement("b");
      place.textContent = String(number);
      button.type = "button";
      button.append(place, message);
      button.onclick = () => {
        const lines = this.#view.state.doc.lines;
        const { from } = this.#view.state.doc.line(Math.min(Math.max(1, number), lines));
        this.#view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
        this.#view.focus();
      };
      const item = document.createElement("li");
      item.append(button);
      return item;
    });
    this.#host.querySelector(".problems").replaceChildren(...items);
  }
}

const editors = new WeakMap();

export function editor(component, cm) {
  const host = component.parentElement.querySelector(".editor");
  if (editors.has(host)) editors.get(host).update(component);
  else editors.set(host, new Editor(host, component, cm));
  return () => {
    editors.get(host)?.destroy();
    editors.delete(host);
  };
}

const diffs = new WeakMap();

// Both texts end alike: a missing newline is no change worth a line, and would mark the line before it as changed.
const ended = (text) => `${text.trimEnd()}\n`;

export function diff({ data, parentElement }, cm) {
  const host = parentElement.querySelector(".diff");
  const now = JSON.stringify(data);
  const shownNow = diffs.get(host);
  if (shownNow?.data !== now) {
    shownNow?.view.destroy();
    const view = new cm.EditorView({
      root: parentElement,
      parent: host,
      doc: ended(data.after),
      extensions: [
        shown(cm, data.lang),
        cm.EditorState.readOnly.of(true),
        cm.EditorView.editable.of(false),
        cm.EditorView.contentAttributes.of({ "aria-label": data.label, tabindex: "0" }),
        cm.unifiedMergeView({
          original: ended(data.before),
          mergeControls: false,
          collapseUnchanged: { margin: 3, minSize: 6 },
        }),
      ],
    });
    diffs.set(host, { view, data: now });
  }
  return () => {
    diffs.get(host)?.view.destroy();
    diffs.delete(host);
  };
}
