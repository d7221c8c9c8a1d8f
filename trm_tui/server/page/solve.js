// The Solve view: the board with the puzzle and every step of its answer, and what the model says of it.

import { ApiError, events, post, request } from "./api.js";
import { Board, mini } from "./board.js";
import { haltingCurve } from "./charts.js";
import { $, debounce, el, fill, percent, plural, roving, toast } from "./dom.js";
import { choices, cropped, editable } from "./kinds.js";
import { Player } from "./player.js";
import { Puzzle } from "./puzzle.js";

export class SolveView {
  /** context: {model() -> model or null, puzzleChanged()} */
  constructor(context) {
    this.context = context;
    this.puzzle = new Puzzle((how) => this.#changed(how));
    this.player = new Player(() => this.#draw(true));
    this.answer = null;
    this.asking = null;
    this.revealed = false;
    this.tool = null;
    this.validated = debounce(300, () => this.#validate());
    this.#wire();
  }

  #wire() {
    $("solve").addEventListener("click", () => this.solve());
    $("stop").addEventListener("click", () => this.stop());
    $("undo").addEventListener("click", () => this.puzzle.undo());
    $("redo").addEventListener("click", () => this.puzzle.redo());
    $("clear").addEventListener("click", () => this.puzzle.clear());
    $("shade").addEventListener("change", () => this.#draw());
    $("digits").addEventListener("change", () => this.#draw());
    $("copy-output").addEventListener("click", () => this.puzzle.copyToExpected());
    for (const id of ["arc-rows", "arc-cols"]) $(id).addEventListener("change", () => this.#resize());
    $("reveal").addEventListener("click", () => {
      this.revealed = !this.revealed;
      $("reveal").setAttribute("aria-pressed", String(this.revealed));
      $("reveal").textContent = this.revealed ? "Hide the solution" : "Show the solution";
      this.#draw();
    });
    roving($("pad"), "button");
    document.addEventListener("keydown", (event) => {
      if ($("view-solve").hidden || event.target.closest("input, textarea, select, dialog")) return;
      if (event.key === "Enter" && !event.target.closest("button, summary, a")) {
        event.preventDefault();
        this.solve();
      } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
        event.preventDefault();
        event.shiftKey ? this.puzzle.redo() : this.puzzle.undo();
      } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "y") {
        event.preventDefault();
        this.puzzle.redo();
      } else if (event.key === "Escape" && this.asking) this.stop();
      else if (event.key === "," || event.key === "<") this.player.go(this.player.at - 1);
      else if ((event.key === "." && this.answer && !event.target.closest(".cell")) || event.key === ">") this.player.go(this.player.at + 1);
    });
  }

  // --- the puzzle -------------------------------------------------------------------------------------

  #changed({ fresh = false }) {
    this.stop(true);
    this.player.reset();
    this.answer = null;
    this.revealed = false;
    $("reveal").setAttribute("aria-pressed", "false");
    $("reveal").textContent = "Show the solution";
    if (fresh) this.#fresh();
    this.#draw();
    this.#verdict();
    this.#says();
    this.validated();
    this.context.puzzleChanged();
  }

  #fresh() {
    const puzzle = this.puzzle;
    this.tool = { maze: "#", arc: "1" }[puzzle.kind] ?? null;
    const area = $("board-area");
    area.replaceChildren();
    area.className = puzzle.kind === "arc" ? "boards two" : "boards";
    const box = (title) => {
      const host = el("div", { class: "board-box" });
      if (title) host.append(el("h2", { text: title }));
      area.append(host);
      return host;
    };
    const hooks = {
      paint: (r, c, symbol, how) => {
        if (this.player.at) this.player.go(0);
        puzzle.put(r, c, symbol, how);
      },
      tool: () => this.tool,
      pick: (r, c) => this.#pick(r, c),
    };
    this.board = new Board(box(puzzle.kind === "arc" ? "Input" : ""), "The puzzle", hooks);
    this.output = null;
    this.expected = null;
    if (puzzle.kind === "arc") {
      this.output = new Board(box("Answer"), "The model's answer", { pick: (r, c) => this.#pick(r, c) });
      const host = box("Expected");
      this.expectedBox = host;
      this.expected = new Board(host, "The expected output", {
        paint: (r, c, symbol) => puzzle.putExpected(r, c, symbol),
        tool: () => this.tool,
      });
    }
    $("arc-tools").hidden = puzzle.kind !== "arc";
    this.#pad();
    this.#pairs();
  }

  #pad() {
    const puzzle = this.puzzle;
    $("clear").disabled = !editable(puzzle.kind);
    const paints = puzzle.kind !== "sudoku";
    const buttons = choices(puzzle.kind, puzzle.rows).map(([symbol, label], i) => {
      const swatch = { "#": "wall", " ": "open", S: "start", G: "goal" }[symbol];
      const inside =
        puzzle.kind === "arc" ? [el("span", { class: `swatch c${symbol}` }), label]
        : puzzle.kind === "maze" ? [el("span", { class: `swatch ${swatch}` }), label]
        : [label];
      return el("button", {
        type: "button", tabindex: i ? "-1" : "0",
        "aria-label": puzzle.kind === "arc" ? `Colour ${label}` : label,
        "aria-pressed": paints ? String(symbol === this.tool) : undefined,
        onclick: (event) => {
          if (!paints) {
            this.puzzle.put(...this.board.at, symbol);
            return;
          }
          this.tool = symbol;
          for (const one of $("pad").children) one.setAttribute("aria-pressed", "false");
          event.currentTarget.setAttribute("aria-pressed", "true");
        },
      }, ...inside);
    });
    $("pad").replaceChildren(...buttons);
  }

  #pairs() {
    const train = this.puzzle.task?.train ?? [];
    $("pairs").hidden = !train.length;
    const symbols = (grid) => grid.map((row) => row.map(String));
    $("pairs").replaceChildren(
      ...train.map((pair, i) =>
        el("div", { class: "pair", role: "group", "aria-label": `Demonstration ${i + 1}` }, mini("arc", symbols(pair.input)), el("span", { text: "→", "aria-hidden": "true" }), mini("arc", symbols(pair.output))),
      ),
    );
  }

  #resize() {
    const size = (id) => Math.max(1, Math.min(30, Math.round(Number($(id).value)) || 1));
    this.puzzle.resize(size("arc-rows"), size("arc-cols"));
  }

  async #validate() {
    const puzzle = this.puzzle;
    if (puzzle.contradictions.length || puzzle.kind === "arc") return;
    const text = puzzle.text;
    try {
      const model = this.context.model();
      const fits = model && model.kind === puzzle.kind && model.rows === puzzle.rows && model.columns === puzzle.cols;
      const found = await post("api/validate", { puzzle: text, ...(fits ? { model: model.id } : {}) });
      if (puzzle.text !== text || puzzle.contradictions.length) return;
      $("puzzle-says").textContent = found.readable ? sentence(found.reason) : sentence(found.reason.replace(/^the puzzle has no solution: /, "no solution: "));
    } catch (error) {
      if (error.code === "unreachable") return;
      $("puzzle-says").textContent = error.message;
    }
  }

  #says() {
    const puzzle = this.puzzle;
    $("puzzle-title").textContent = puzzle.title;
    const broken = puzzle.contradictions;
    const filled = puzzle.cells.flat().filter((cell) => cell !== ".").length;
    const size = `${puzzle.rows}×${puzzle.cols}`;
    $("puzzle-says").textContent = broken.length
      ? `No solution: ${broken[0].reason}`
      : puzzle.kind === "sudoku" ? `${size}, ${plural(filled, "clue")}` : puzzle.kind === "arc" ? `Input of ${size}` : size;
    $("undo").disabled = !puzzle.past.length;
    $("redo").disabled = !puzzle.future.length;
    $("arc-rows").value = puzzle.rows;
    $("arc-cols").value = puzzle.cols;
  }

  // --- the answer -------------------------------------------------------------------------------------

  settings() {
    const number = (id) => ($(id).value === "" ? undefined : Number($(id).value));
    const model = this.context.model();
    const found = { model: model?.id ?? "auto", max_steps: number("max-steps"), views: number("views"), until: $("until").value || undefined };
    return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  }

  async solve() {
    if (this.asking) return;
    this.player.reset();
    this.answer = null;
    const asking = (this.asking = new AbortController());
    this.#busy(true);
    this.#verdict({ status: "thinking", title: "Thinking …", says: "Waiting for the first step." });
    try {
      const body = { ...this.puzzle.request(this.settings()), stream: true };
      for await (const { event, data } of events("api/solve", { method: "POST", json: body, signal: asking.signal })) {
        if (this.asking !== asking) return;
        this.#hear(event, data);
      }
    } catch (error) {
      if (this.asking === asking && error.name !== "AbortError") this.#failed(error);
    } finally {
      if (this.asking === asking) {
        this.asking = null;
        this.#busy(false);
        this.#draw();
      }
    }
  }

  #hear(event, data) {
    if (event === "step") {
      this.#taken(data);
      this.#verdict({ status: "thinking", title: "Thinking …", says: `Step ${data.step}${data.view ? `, view ${data.view + 1}` : ""}: ${percent(data.halt_probability, 0)} sure to be done.` });
    } else if (event === "done") {
      this.answer = data;
      if (this.player.steps.length !== data.steps.length) {
        this.player.reset();
        for (const step of data.steps) this.#taken(step);
      }
      if (data.solved) {
        // The answer is the step that the rules accept, which need not be of the first view.
        this.player.go(data.steps.findLastIndex((step) => step.solved) + 1);
      }
      this.#verdict();
    } else if (event === "error") {
      this.#failed(new ApiError(0, data.code, data.message, data.hint));
    }
  }

  #taken(step) {
    const rows = this.puzzle.kind === "arc" ? cropped(step.rows) : step.rows;
    const flat = [];
    rows.forEach((row, r) => row.forEach((_, c) => {
      if (this.puzzle.kind === "arc" || !isGiven(this.puzzle, r, c)) flat.push(step.confidence[r][c]);
    }));
    step.meanConfidence = flat.length ? flat.reduce((a, b) => a + b, 0) / flat.length : 1;
    this.player.add(step);
  }

  stop(silently = false) {
    if (!this.asking) return;
    this.asking.abort();
    this.asking = null;
    this.#busy(false);
    if (silently) return;
    this.#verdict({ status: "none", title: "Stopped", says: `After ${plural(this.player.steps.length, "step")}.` });
    this.#draw();
  }

  #busy(on) {
    $("solve").hidden = on;
    $("stop").hidden = !on;
    if (on && document.activeElement === document.body) $("stop").focus();
  }

  #failed(error) {
    this.#verdict({ status: "unproven", title: "No answer", says: error.words ?? error.message });
    if (error.code === "unreachable") toast("The server does not answer", true);
  }

  #verdict(shown) {
    const answer = this.answer;
    let { status, title, says } = shown ?? { status: "none", title: "Not solved yet", says: "Press Solve, and watch the answer form." };
    if (!shown && answer) {
      status = answer.status;
      const compared = answer.compared;
      title = { solved: "Solved", wrong: "Not solved", unproven: compared?.exact ? "Matches what was expected" : "Cannot be judged" }[status];
      if (status === "unproven" && compared?.exact) status = "solved";
      const matched = compared ? ` ${compared.right} of ${compared.of} cells agree with the known solution.` : "";
      says = `${sentence(answer.reason)}${matched}`;
    }
    $("verdict").dataset.status = status;
    $("verdict-title").textContent = title;
    $("verdict-says").textContent = says;
    const faults = answer?.faults ?? (this.puzzle.contradictions.length ? this.puzzle.contradictions : []);
    $("faults-card").hidden = !faults.length;
    $("faults").replaceChildren(...faults.slice(0, 40).map((fault) => this.#fault(fault)));
    $("reveal").hidden = !(this.puzzle.truth || (this.puzzle.kind === "arc" && this.puzzle.expected));
    this.#figures();
  }

  #fault(fault) {
    const light = (on) => () => this.board.light(fault.cells, on);
    const go = () => fault.cells[0] && this.board.focus(...fault.cells[0]);
    return el("li", {}, el("button", { type: "button", text: fault.reason, onclick: go, onmouseenter: light(true), onmouseleave: light(false), onfocus: light(true), onblur: light(false) }));
  }

  #figures() {
    const answer = this.answer;
    const step = this.player.steps[this.player.at - 1];
    const ended = { checked: "the rules accepted", halt: "the model halted", all: "all steps taken", time: "time was up" };
    fill($("figures"), answer ? [
      ["Steps", `${answer.steps_used}`], ["Views", `${answer.views_used}`], ["Ended", ended[answer.ended]],
      ["Time", answer.cached ? "from the cache" : `${Math.round(answer.milliseconds)} ms`],
      ["Halting now", percent(step?.halt_probability, 0)],
      ["Changed here", plural(step?.changed.length ?? 0, "cell")],
    ] : []);
    const views = [...new Set(this.player.steps.map((one) => one.view))];
    $("views-row").replaceChildren(...(views.length < 2 ? [] : views.map((view) => el("button", {
      type: "button", text: view ? `View ${view + 1}` : "As asked", "aria-pressed": String(step?.view === view),
      onclick: () => this.player.go(this.player.steps.findLastIndex((one) => one.view === view) + 1),
    }))));
    const now = step ? this.player.steps.filter((one) => one.view === step.view) : this.player.steps.filter((one) => one.view === 0);
    haltingCurve($("curve"), now, step ? step.step : 0);
  }

  // --- drawing ----------------------------------------------------------------------------------------

  #draw(moved = false) {
    if (!this.board) return;
    const puzzle = this.puzzle;
    const step = this.player.steps[this.player.at - 1];
    const shaded = $("shade").checked && Boolean(step) && !this.revealed;
    const common = { kind: puzzle.kind, box: puzzle.box, digits: $("digits").checked, palette: puzzle.palette, readonly: !editable(puzzle.kind) };
    if (puzzle.kind === "arc") this.#drawArc(common, step, shaded);
    else this.board.draw({ ...common, rows: this.#rows(step), shaded });
    if (moved) this.#figures();
  }

  #rows(step) {
    const puzzle = this.puzzle;
    const shown = this.revealed && puzzle.truth ? puzzle.truth : step ? step.rows : puzzle.cells;
    const marks = this.#marks(step);
    return shown.map((row, r) => row.map((symbol, c) => {
      const given = isGiven(puzzle, r, c);
      const classes = [given ? "given" : this.revealed ? "truth" : step ? "answer" : ""];
      const says = [given ? "given" : ""];
      const key = `${r},${c}`;
      if (!this.revealed) {
        if (marks.changed.has(key)) { classes.push("changed"); says.push("changed"); }
        if (marks.wrong.has(key)) { classes.push("wrong"); says.push("wrong"); }
        if (marks.fault.has(key)) { classes.push("fault"); says.push("breaks a rule"); }
      }
      const sure = step ? step.confidence[r][c] : 1;
      if (step && !given && !this.revealed) says.push(`${Math.round(100 * sure)} percent sure`);
      return { symbol, classes: classes.filter(Boolean), says: says.filter(Boolean).join(", "), unsure: given ? 0 : Math.min(1, (1 - sure) * 1.5) };
    }));
  }

  /** Which cells are marked: of the last step, what is wrong with the answer; of the puzzle, what contradicts. */
  #marks(step) {
    const set = (places) => new Set(places.map(([r, c]) => `${r},${c}`));
    const puzzle = this.puzzle;
    if (!step) return { changed: set([]), wrong: set([]), fault: set(puzzle.contradictions.flatMap((one) => one.cells)) };
    const wrong = [];
    if (puzzle.truth) step.rows.forEach((row, r) => row.forEach((symbol, c) => symbol !== puzzle.truth[r][c] && wrong.push([r, c])));
    const last = this.answer && sameRows(step.rows, this.answer.rows);
    const mayDiffer = puzzle.kind === "maze" && (step.solved || !last);
    return { changed: set(step.changed), wrong: set(mayDiffer ? [] : wrong), fault: set(last ? this.answer.faults.flatMap((one) => one.cells) : []) };
  }

  #drawArc(common, step, shaded) {
    const puzzle = this.puzzle;
    const plain = (rows) => rows.map((row) => row.map((symbol) => ({ symbol })));
    this.board.draw({ ...common, rows: plain(puzzle.cells) });
    this.output.grid.parentElement.hidden = !step;
    this.expectedBox.hidden = !puzzle.expected || (!this.revealed && Boolean(puzzle.id));
    if (puzzle.expected) this.expected.draw({ ...common, rows: plain(puzzle.expected), readonly: Boolean(puzzle.id) });
    if (!step) return;
    const changed = new Set(step.changed.map(([r, c]) => `${r},${c}`));
    const rows = cropped(step.rows);
    this.output.draw({ ...common, shaded, readonly: true, rows: (rows.length ? rows : [["0"]]).map((row, r) => row.map((symbol, c) => {
      const wrong = this.answer && puzzle.expected && puzzle.expected[r]?.[c] !== symbol;
      const classes = ["answer", changed.has(`${r},${c}`) ? "changed" : "", wrong ? "wrong" : ""].filter(Boolean);
      return { symbol, classes, unsure: 1 - step.confidence[r][c], says: `${Math.round(100 * step.confidence[r][c])} percent sure${wrong ? ", wrong" : ""}` };
    })) });
  }

  #pick(r, c) {
    const step = this.player.steps[this.player.at - 1];
    const puzzle = this.puzzle;
    const place = `Row ${r + 1}, column ${c + 1}`;
    for (const row of this.board.cells) for (const cell of row) cell.classList.remove("peer");
    if (puzzle.kind === "sudoku" && !step) {
      const same = (a, b) => a[0] === b[0] || a[1] === b[1];
      this.board.cells.forEach((row, i) => row.forEach((cell, j) => same([i, j], [r, c]) && cell.classList.toggle("peer", true)));
    }
    if (!step || puzzle.kind === "arc" ? !step : isGiven(puzzle, r, c)) {
      $("cell-says").textContent = `${place}${step ? " is given by the puzzle." : ": type or click to change it."}`;
      return;
    }
    const history = this.player.steps.slice(0, this.player.at).filter((one) => one.changed.some(([a, b]) => a === r && b === c));
    const sure = step.confidence[r]?.[c];
    const changes = history.length ? ` Changed at step ${history.map((one) => one.step).join(", ")}.` : " Never changed.";
    $("cell-says").textContent = `${place}: ${step.rows[r]?.[c]?.trim() || "open"}, ${percent(sure)} sure.${changes}`;
  }
}

const isGiven = (puzzle, r, c) =>
  puzzle.givens ? puzzle.givens[r][c] : puzzle.kind === "sudoku" ? puzzle.cells[r][c] !== "." : puzzle.kind === "maze" ? puzzle.cells[r][c] !== " " : false;
const sameRows = (a, b) => a.every((row, r) => row.every((cell, c) => cell === b[r]?.[c]));
const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".") : "");

/** Read a puzzle from text, as the model's kind where that reads it, else as whatever it is. */
export async function readText(text, model) {
  const trimmed = text.trim();
  let body = { puzzle: trimmed.startsWith("task:") ? trimmed : text.replace(/^\n+|\s+$/g, "") };
  if (trimmed.startsWith("{")) {
    let task;
    try { task = JSON.parse(trimmed); } catch { throw new ApiError(0, "invalid_json", "This is not valid JSON"); }
    if (!Array.isArray(task.train) || !Array.isArray(task.test)) throw new ApiError(0, "invalid", 'An ARC task has "train" and "test"');
    body = { task };
  }
  const ask = async (extra) => (await (await request("api/validate", { method: "POST", json: { ...body, ...extra } })).json());
  let found = model && !body.task ? await ask({ model }) : await ask({});
  if (!found.readable && model && !body.task) {
    const other = await ask({});
    if (other.readable) found = other;
  }
  if (!found.readable) throw new ApiError(0, "unreadable", found.reason);
  const solution = body.task?.test[0].output;
  return {
    ...found, title: "Your puzzle", task: body.task, rows: undefined,
    solution: solution ? solution.map((row) => row.join("")).join("/") : "",
  };
}
