// The puzzle on the table: its cells, what may be undone, and how it is sent to the server.

import { blankGrid, cellsOf, contradictions, cropped, editable, textOf } from "./kinds.js";

export class Puzzle {
  constructor(changed) {
    this.changed = changed;
    this.past = [];
    this.future = [];
    Object.assign(this, { kind: "sudoku", rows: 4, cols: 4, box: [2, 2], title: "Puzzle", task: null, name: "" });
    this.cells = blankGrid("sudoku", 4, 4);
    this.truth = null;
    this.expected = null;
    this.stroke = null;
    /** Rules that the puzzle breaks by itself, as the server told of this very text. */
    this.faults = [];
  }

  /** Take a puzzle as the server tells it: an example, a held-out puzzle, or one that was read from text. */
  take(given) {
    const kind = given.kind;
    const rows = given.rows_count ?? given.rows ?? given.question?.length;
    const cols = given.columns ?? given.question?.[0]?.length;
    this.kind = kind;
    this.box = given.box ?? [0, 0];
    this.title = given.title || "Your puzzle";
    this.palette = given.palette ?? {};
    // Kinds without an editor here keep the text and the givens that the server told.
    this.written = editable(kind) ? "" : given.puzzle;
    this.givens = editable(kind) ? null : given.given;
    this.task = given.task ?? null;
    this.name = given.name ?? "";
    this.id = given.id ?? "";
    this.faults = given.faults ?? [];
    const asked = Array.isArray(given.question) ? given.question : cellsOf(kind, given.puzzle, rows, cols);
    this.cells = kind === "arc" ? cropped(asked) : asked.map((row) => [...row]);
    this.truth = null;
    this.expected = null;
    if (!editable(kind)) {
      this.truth = Array.isArray(given.truth) ? given.truth : null;
      this.writtenTruth = given.solution ?? "";
    } else if (given.solution) {
      const truth = cellsOf(kind, given.solution, this.cells.length, this.cells[0].length);
      if (kind === "arc") this.expected = truth;
      else this.truth = truth;
    }
    this.#resized();
    this.past = [];
    this.future = [];
    this.changed({ fresh: true });
  }

  blank(kind, rows, cols, box) {
    Object.assign(this, { kind, box, title: "Your puzzle", task: null, name: "", id: "", truth: null, expected: null, faults: [], written: "", givens: null });
    this.cells = blankGrid(kind, rows, cols);
    this.past = [];
    this.future = [];
    this.#resized();
    this.changed({ fresh: true });
  }

  #resized() {
    this.rows = this.cells.length;
    this.cols = this.cells[0].length;
  }

  /** Put a symbol into a cell; one drag is undone as a whole. */
  put(r, c, symbol, { stroke } = {}) {
    if (!editable(this.kind)) return;
    if (this.cells[r]?.[c] === undefined || this.cells[r][c] === symbol) return;
    if (!stroke || stroke !== this.stroke) this.#remember();
    this.stroke = stroke ?? null;
    if (this.kind === "maze" && (symbol === "S" || symbol === "G"))
      this.cells = this.cells.map((row) => row.map((cell) => (cell === symbol ? " " : cell)));
    this.cells[r][c] = symbol;
    this.#edited();
  }

  putExpected(r, c, symbol) {
    this.expected[r][c] = symbol;
    this.changed({ edited: true });
  }

  resize(rows, cols) {
    this.#remember();
    this.cells = Array.from({ length: rows }, (_, r) => Array.from({ length: cols }, (_, c) => this.cells[r]?.[c] ?? "0"));
    this.#edited();
  }

  clear() {
    if (!editable(this.kind)) return;
    this.#remember();
    this.cells = blankGrid(this.kind, this.rows, this.cols);
    this.#edited();
  }

  copyToExpected() {
    this.expected = this.cells.map((row) => [...row]);
    this.changed({ edited: true });
  }

  #remember() {
    this.past.push({ cells: this.cells.map((row) => [...row]), truth: this.truth, title: this.title, task: this.task, name: this.name });
    if (this.past.length > 200) this.past.shift();
    this.future = [];
  }

  #edited() {
    // A puzzle that has been changed has another solution than the one that came with it.
    this.truth = null;
    this.faults = [];
    this.task = this.kind === "arc" ? this.task : null;
    if (!this.title.endsWith("(edited)")) this.title = this.title === "Your puzzle" ? this.title : `${this.title} (edited)`;
    this.#resized();
    this.changed({ edited: true });
  }

  undo() { this.#travel(this.past, this.future); }
  redo() { this.#travel(this.future, this.past); }

  #travel(from, to) {
    const found = from.pop();
    if (!found) return;
    to.push({ cells: this.cells, truth: this.truth, title: this.title, task: this.task, name: this.name });
    Object.assign(this, found, { faults: [] });
    this.stroke = null;
    this.#resized();
    this.changed({ edited: true });
  }

  get text() {
    if (this.written) return this.written;
    const text = textOf(this.kind, this.cells);
    return this.kind === "arc" && this.name ? `task:${this.name} ${text}` : text;
  }

  /** Rules that the puzzle breaks before anybody answers: of Sudoku at once, of other kinds as the server tells. */
  get contradictions() {
    const found = contradictions(this.kind, this.cells, this.box);
    return found.length ? found : this.faults;
  }

  /** The body of a request to solve this puzzle. */
  request(settings) {
    const truth = this.written ? this.writtenTruth : this.kind === "arc" ? this.expected && textOf("arc", this.expected) : this.truth && textOf(this.kind, this.truth);
    const body = { ...settings };
    if (this.kind === "arc" && this.task && !this.name) {
      body.task = { train: this.task.train, test: [{ input: this.cells.map((row) => row.map(Number)) }] };
    } else body.puzzle = this.text;
    if (truth) body.truth = truth;
    return body;
  }
}
