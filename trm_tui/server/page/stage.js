// The stage: the boards of the puzzle on the table and of the answer after each step, and what paints on them.

import { Board, mini } from "./board.js";
import { $, el, percent, roving } from "./dom.js";
import { choices, cropped, editable } from "./kinds.js";

export class Stage {
  /** show() -> what is drawn: {puzzle, step, history, answer, revealed}; edited(): a step is left for the puzzle */
  constructor(puzzle, { show, edited }) {
    this.puzzle = puzzle;
    this.show = show;
    this.edited = edited;
    this.board = null;
    this.tool = null;
    roving($("pad"), "button");
    for (const id of ["shade", "digits"]) $(id).addEventListener("change", () => this.draw());
    $("copy-output").addEventListener("click", () => puzzle.copyToExpected());
    for (const id of ["arc-rows", "arc-cols"]) $(id).addEventListener("change", () => this.#resize());
  }

  // --- what there is to paint with ----------------------------------------------------------------------

  /** Build the boards of another puzzle. */
  build() {
    const puzzle = this.puzzle;
    const arc = puzzle.kind === "arc";
    this.tool = { maze: "#", arc: "1" }[puzzle.kind] ?? null;
    const area = $("board-area");
    area.replaceChildren();
    area.className = arc ? "boards two" : "boards";
    const box = (title) => {
      const host = el("div", { class: "board-box" }, title ? el("h2", { text: title }) : null);
      area.append(host);
      return host;
    };
    const tool = () => this.tool;
    const pick = (r, c) => this.#pick(r, c);
    const paint = (r, c, symbol, how) => {
      this.edited();
      puzzle.put(r, c, symbol, how);
    };
    this.board = new Board(box(arc ? "Input" : ""), "The puzzle", { paint, tool, pick });
    this.output = arc ? new Board(box("Answer"), "The model's answer", { pick }) : null;
    this.expectedBox = arc ? box("Expected") : null;
    this.expected = arc ? new Board(this.expectedBox, "The expected output", { paint: (r, c, symbol) => puzzle.putExpected(r, c, symbol), tool }) : null;
    $("arc-tools").hidden = !arc;
    this.#pad();
    this.#pairs();
  }

  #pad() {
    const { kind, rows } = this.puzzle;
    $("clear").disabled = !editable(kind);
    const paints = kind !== "sudoku";
    $("pad").replaceChildren(...choices(kind, rows).map(([symbol, label], i) => {
      const swatch = { maze: { "#": "wall", " ": "open", S: "start", G: "goal" }[symbol], arc: `c${symbol}` }[kind];
      return el("button", {
        type: "button", tabindex: i ? "-1" : "0",
        "aria-label": kind === "arc" ? `Colour ${label}` : label,
        "aria-pressed": paints ? String(symbol === this.tool) : undefined,
        onclick: (event) => (paints ? this.#take(symbol, event.currentTarget) : this.puzzle.put(...this.board.at, symbol)),
      }, ...(swatch ? [el("span", { class: `swatch ${swatch}` })] : []), label);
    }));
  }

  #take(symbol, button) {
    this.tool = symbol;
    for (const one of $("pad").children) one.setAttribute("aria-pressed", String(one === button));
  }

  #pairs() {
    const train = this.puzzle.task?.train ?? [];
    $("pairs").hidden = !train.length;
    const symbols = (grid) => grid.map((row) => row.map(String));
    $("pairs").replaceChildren(...train.map((pair, i) =>
      el("div", { class: "pair", role: "group", "aria-label": `Demonstration ${i + 1}` }, mini("arc", symbols(pair.input)), el("span", { text: "→", "aria-hidden": "true" }), mini("arc", symbols(pair.output)))));
  }

  #resize() {
    const size = (id) => Math.max(1, Math.min(30, Math.round(Number($(id).value)) || 1));
    this.puzzle.resize(size("arc-rows"), size("arc-cols"));
  }

  // --- drawing ------------------------------------------------------------------------------------------

  light(cells, on) {
    this.board.light(cells, on);
  }

  focus(r, c) {
    this.board.focus(r, c);
  }

  draw() {
    if (!this.board) return;
    const puzzle = this.puzzle;
    const shown = this.show();
    const shaded = $("shade").checked && Boolean(shown.step) && !shown.revealed;
    const common = { kind: puzzle.kind, box: puzzle.box, digits: $("digits").checked, palette: puzzle.palette, readonly: !editable(puzzle.kind) };
    if (puzzle.kind === "arc") this.#drawArc(common, shown, shaded);
    else this.board.draw({ ...common, rows: this.#rows(shown), shaded });
  }

  #rows({ step, answer, revealed }) {
    const puzzle = this.puzzle;
    const symbols = revealed && puzzle.truth ? puzzle.truth : step ? step.rows : puzzle.cells;
    const marks = this.#marks(step, answer);
    return symbols.map((row, r) => row.map((symbol, c) => {
      const given = isGiven(puzzle, r, c);
      const classes = [given ? "given" : revealed ? "truth" : step ? "answer" : ""];
      const says = [given ? "given" : ""];
      const key = `${r},${c}`;
      if (!revealed) {
        if (marks.changed.has(key)) { classes.push("changed"); says.push("changed"); }
        if (marks.wrong.has(key)) { classes.push("wrong"); says.push("wrong"); }
        if (marks.fault.has(key)) { classes.push("fault"); says.push("breaks a rule"); }
      }
      const sure = step ? step.confidence[r][c] : 1;
      if (step && !given && !revealed) says.push(`${Math.round(100 * sure)} percent sure`);
      return { symbol, classes: classes.filter(Boolean), says: says.filter(Boolean).join(", "), unsure: given ? 0 : Math.min(1, (1 - sure) * 1.5) };
    }));
  }

  /** Which cells are marked: of the last step, what is wrong with the answer; of the puzzle, what contradicts. */
  #marks(step, answer) {
    const set = (places) => new Set(places.map(([r, c]) => `${r},${c}`));
    const puzzle = this.puzzle;
    if (!step) return { changed: set([]), wrong: set([]), fault: set(puzzle.contradictions.flatMap((one) => one.cells)) };
    const wrong = [];
    if (puzzle.truth) step.rows.forEach((row, r) => row.forEach((symbol, c) => symbol !== puzzle.truth[r][c] && wrong.push([r, c])));
    const last = answer && sameRows(step.rows, answer.rows);
    const mayDiffer = puzzle.kind === "maze" && (step.solved || !last);
    return { changed: set(step.changed), wrong: set(mayDiffer ? [] : wrong), fault: set(last ? answer.faults.flatMap((one) => one.cells) : []) };
  }

  #drawArc(common, { step, answer, revealed }, shaded) {
    const puzzle = this.puzzle;
    const plain = (rows) => rows.map((row) => row.map((symbol) => ({ symbol })));
    this.board.draw({ ...common, rows: plain(puzzle.cells) });
    this.output.grid.parentElement.hidden = !step;
    this.expectedBox.hidden = !puzzle.expected || (!revealed && Boolean(puzzle.id));
    if (puzzle.expected) this.expected.draw({ ...common, rows: plain(puzzle.expected), readonly: Boolean(puzzle.id) });
    if (!step) return;
    const changed = new Set(step.changed.map(([r, c]) => `${r},${c}`));
    const rows = cropped(step.rows);
    this.output.draw({ ...common, shaded, readonly: true, rows: (rows.length ? rows : [["0"]]).map((row, r) => row.map((symbol, c) => {
      const wrong = answer && puzzle.expected && puzzle.expected[r]?.[c] !== symbol;
      const classes = ["answer", changed.has(`${r},${c}`) ? "changed" : "", wrong ? "wrong" : ""].filter(Boolean);
      return { symbol, classes, unsure: 1 - step.confidence[r][c], says: `${Math.round(100 * step.confidence[r][c])} percent sure${wrong ? ", wrong" : ""}` };
    })) });
  }

  /** Say in words what there is to know of a cell. */
  #pick(r, c) {
    const { step, history } = this.show();
    const puzzle = this.puzzle;
    const place = `Row ${r + 1}, column ${c + 1}`;
    const peers = puzzle.kind === "sudoku" && !step;
    this.board.cells.forEach((row, i) => row.forEach((cell, j) => cell.classList.toggle("peer", peers && (i === r || j === c))));
    if (!step) $("cell-says").textContent = editable(puzzle.kind) ? `${place}: type or click to change it.` : `${place}.`;
    else if (puzzle.kind !== "arc" && isGiven(puzzle, r, c)) $("cell-says").textContent = `${place} is given by the puzzle.`;
    else {
      const at = history.filter((one) => one.changed.some(([a, b]) => a === r && b === c)).map((one) => one.step);
      const changes = at.length ? `Changed at step ${at.join(", ")}.` : "Never changed.";
      $("cell-says").textContent = `${place}: ${step.rows[r]?.[c]?.trim() || "open"}, ${percent(step.confidence[r]?.[c])} sure. ${changes}`;
    }
  }

  /** How sure a step is of the cells that the puzzle leaves open, on average. */
  meanConfidence(step) {
    const arc = this.puzzle.kind === "arc";
    const open = [];
    (arc ? cropped(step.rows) : step.rows).forEach((row, r) => row.forEach((_, c) => {
      if (arc || !isGiven(this.puzzle, r, c)) open.push(step.confidence[r][c]);
    }));
    return open.length ? open.reduce((a, b) => a + b, 0) / open.length : 1;
  }
}

const isGiven = (puzzle, r, c) =>
  puzzle.givens ? puzzle.givens[r][c] : puzzle.kind === "sudoku" ? puzzle.cells[r][c] !== "." : puzzle.kind === "maze" ? puzzle.cells[r][c] !== " " : false;
const sameRows = (a, b) => a.every((row, r) => row.every((cell, c) => cell === b[r]?.[c]));
