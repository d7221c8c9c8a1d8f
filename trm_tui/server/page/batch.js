// The Batch view: a list in, a table of answers out, as they come.

import { lines, request } from "./api.js";
import { $, count, download, el, percent, plural, toast } from "./dom.js";

const SHOWN = 400;

export class BatchView {
  constructor(context) {
    this.context = context;
    this.built = false;
    this.rows = [];
    this.running = null;
  }

  opened() {
    if (!this.built) this.#build();
  }

  #build() {
    this.built = true;
    this.text = el("textarea", { rows: "7", spellcheck: "false", id: "batch-text", placeholder: "1..4......4..23.\n4...............,4213…   (a puzzle a line, its solution after a comma)" });
    this.file = el("input", { type: "file", hidden: true, onchange: async (event) => {
      const file = event.target.files[0];
      if (file) this.take(await file.text());
      event.target.value = "";
    } });
    this.go = el("button", { type: "button", class: "primary", id: "batch-go", text: "Solve all", onclick: () => this.#run() });
    this.halt = el("button", { type: "button", class: "soft", text: "Stop", hidden: true, onclick: () => this.running?.abort() });
    this.filter = el("select", { id: "batch-filter", onchange: () => this.#table() }, ...[["", "all"], ["failures", "failures only"], ["solved", "solved"], ["wrong", "wrong"], ["unproven", "unproven"], ["error", "unreadable"]].map(([value, text]) => el("option", { value, text })));
    this.find = el("input", { type: "search", id: "batch-find", placeholder: "any text", oninput: () => this.#table() });
    this.meter = el("i");
    this.stats = el("div", { class: "stats", "aria-live": "polite" });
    this.body = el("tbody");
    this.note = el("p", { class: "hint" });
    this.results = el("div", { class: "card", hidden: true },
      el("div", { class: "row-between" }, el("h2", { text: "Answers" }), el("button", { type: "button", class: "soft", id: "batch-csv", text: "Download CSV", onclick: () => this.#csv() })),
      el("div", { class: "meter", role: "presentation" }, this.meter), this.stats,
      el("div", { class: "form-row" }, el("label", {}, "Show", this.filter), el("label", { class: "grow" }, "Find", this.find)),
      el("div", { class: "table", tabindex: "0", "aria-label": "Answers" }, el("table", { id: "batch-table" }, el("thead", {}, el("tr", {}, ...["#", "Puzzle", "Result", "Cells right", "Steps", "Views", "Why", "ms"].map((text) => el("th", { text })))), this.body)), this.note);
    $("view-batch").replaceChildren(
      el("div", { class: "card" }, el("h1", { text: "Many puzzles at once" }),
        el("p", { class: "lead", text: "A list with a puzzle a line, or a CSV with a column “puzzle” and, where known, “solution”. At most 1000. Drop a file anywhere on the page." }),
        el("label", { class: "label", for: "batch-text", text: "Puzzles" }), this.text, this.file,
        el("div", { class: "form-row" }, this.go, this.halt, el("button", { type: "button", class: "soft", text: "Open a file…", onclick: () => this.file.click() }))),
      this.results);
  }

  /** Take a list of puzzles and solve it at once. */
  take(text) {
    this.opened();
    this.text.value = text;
    this.#run();
  }

  async #run() {
    const text = this.text.value;
    if (!text.trim()) return this.text.focus();
    if (this.running) return undefined;
    this.running = new AbortController();
    Object.assign(this, { rows: [], summary: null });
    this.results.hidden = false;
    this.go.disabled = true;
    this.halt.hidden = false;
    const model = this.context.model()?.id ?? "auto";
    let drawn = 0;
    try {
      const path = `api/batch?stream=true&model=${encodeURIComponent(model)}`;
      for await (const line of lines(path, { method: "POST", body: text, type: "text/csv", signal: this.running.signal })) {
        if (line.number === undefined) this.summary = line;
        else this.rows.push(line);
        if (performance.now() - drawn > 150) {
          this.#table();
          drawn = performance.now();
        }
      }
    } catch (error) {
      if (error.name !== "AbortError") toast(error.words ?? error.message, true);
    }
    this.running = null;
    this.go.disabled = false;
    this.halt.hidden = true;
    this.#table();
    return undefined;
  }

  #matching() {
    const wanted = this.filter.value;
    const find = this.find.value.trim().toLowerCase();
    return this.rows
      .filter((row) => !wanted || (wanted === "failures" ? row.status !== "solved" || row.exact === false : row.status === wanted))
      .filter((row) => !find || JSON.stringify(row).toLowerCase().includes(find))
      .sort((a, b) => a.number - b.number);
  }

  #table() {
    const total = this.summary?.total ?? this.rows.length;
    const of = (status) => this.rows.filter((row) => row.status === status).length;
    const compared = this.rows.filter((row) => row.exact !== null && row.exact !== undefined);
    this.meter.style.width = `${total ? (100 * this.rows.length) / total : 0}%`;
    const stat = (value, label) => el("div", { class: "stat" }, el("b", { text: value }), el("span", { text: label }));
    this.stats.replaceChildren(stat(`${count(this.rows.length)} / ${count(total)}`, "done"), stat(count(of("solved")), "solved by the rules"), stat(count(of("wrong") + of("unproven")), "not solved"), stat(count(of("error")), "unreadable"),
      ...(compared.length ? [stat(percent(compared.filter((row) => row.exact).length / compared.length), "exactly the solution")] : []));
    const rows = this.#matching();
    this.body.replaceChildren(...rows.slice(0, SHOWN).map((row) => el("tr", {},
      el("td", { class: "num", text: row.number }), el("td", {}, el("code", { text: row.puzzle, title: row.puzzle })), el("td", {}, el("span", { class: `tag ${row.status}`, text: row.status })),
      el("td", { class: "num", text: row.of ? `${row.right} / ${row.of}` : "–" }), el("td", { class: "num", text: row.steps_used ?? "–" }), el("td", { class: "num", text: row.views_used ?? "–" }),
      el("td", { class: "wrap", text: row.error ?? row.reason ?? "" }), el("td", { class: "num", text: row.milliseconds === undefined ? "–" : Math.round(row.milliseconds) }))));
    this.note.textContent = rows.length > SHOWN ? `The first ${SHOWN} of ${plural(rows.length, "row")} are shown; the CSV has all.` : rows.length ? "" : "No row matches.";
  }

  async #csv() {
    if (this.summary?.finished) {
      try {
        const response = await request(`api/batch/${this.summary.id}`, { accept: "text/csv" });
        return download("answers.csv", await response.text(), "text/csv");
      } catch { /* forgotten by the server: written from what is here */ }
    }
    const columns = ["number", "puzzle", "answer", "status", "exact", "right", "of", "reason", "steps_used", "views_used", "halt_probability", "milliseconds", "error"];
    const cell = (value) => {
      const text = value === null || value === undefined ? "" : String(value);
      const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
      return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
    };
    return download("answers.csv", [columns.join(","), ...this.rows.map((row) => columns.map((name) => cell(row[name])).join(","))].join("\n"), "text/csv");
  }
}
