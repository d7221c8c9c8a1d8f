// The Solve view: a puzzle on the table is checked as it is edited, asked, and its answer watched step by step.

import { ApiError, events, post } from "./api.js";
import { $, debounce, percent, plural, sentence, toast } from "./dom.js";
import { Player } from "./player.js";
import { Puzzle } from "./puzzle.js";
import { Stage } from "./stage.js";
import { Verdict } from "./verdict.js";

export class SolveView {
  /** context: {model() -> model or null, puzzleChanged()} */
  constructor(context) {
    this.context = context;
    this.puzzle = new Puzzle((how) => this.#changed(how));
    this.player = new Player(() => {
      this.stage.draw();
      this.verdict.figures(this.answer);
    });
    this.stage = new Stage(this.puzzle, { show: () => this.#shown(), edited: () => this.player.at && this.player.go(0) });
    this.verdict = new Verdict(this.stage, this.player);
    this.answer = null;
    this.asking = null;
    this.revealed = false;
    this.validated = debounce(300, () => this.#validate());
    this.#wire();
  }

  #shown() {
    const { steps, at } = this.player;
    return { step: steps[at - 1], history: steps.slice(0, at), answer: this.answer, revealed: this.revealed };
  }

  #wire() {
    const clicks = { solve: () => this.solve(), stop: () => this.stop(), undo: () => this.puzzle.undo(), redo: () => this.puzzle.redo(), clear: () => this.puzzle.clear() };
    for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
    $("reveal").addEventListener("click", () => {
      this.#reveal(!this.revealed);
      this.stage.draw();
    });
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

  #reveal(on) {
    this.revealed = on;
    $("reveal").setAttribute("aria-pressed", String(on));
    $("reveal").textContent = on ? "Hide the solution" : "Show the solution";
  }

  // --- the puzzle -------------------------------------------------------------------------------------

  #changed({ fresh = false }) {
    this.stop(true);
    this.player.reset();
    this.answer = null;
    this.#reveal(false);
    if (fresh) this.stage.build();
    this.#draw();
    this.#says();
    this.validated();
    this.context.puzzleChanged();
  }

  /** Draw the puzzle or its answer, with what is said of it. */
  #draw(said) {
    const puzzle = this.puzzle;
    this.stage.draw();
    this.verdict.show(puzzle, this.answer, said);
    $("reveal").hidden = !(puzzle.truth || (puzzle.kind === "arc" && puzzle.expected));
  }

  async #validate() {
    const puzzle = this.puzzle;
    if (puzzle.kind === "arc") return;
    const text = puzzle.text;
    try {
      const model = this.context.model();
      const fits = model && model.kind === puzzle.kind && model.rows === puzzle.rows && model.columns === puzzle.cols;
      const found = await post("api/validate", { puzzle: text, ...(fits ? { model: model.id } : {}) });
      if (puzzle.text !== text) return;
      puzzle.faults = found.faults ?? [];
      if (puzzle.faults.length && !this.asking && !this.answer) this.#draw();
      this.#says(sentence(found.reason.replace(/^the puzzle has no solution: /, "no solution: ")));
    } catch (error) {
      if (error.code !== "unreachable") this.#says(error.message);
    }
  }

  #says(found = "") {
    const puzzle = this.puzzle;
    $("puzzle-title").textContent = puzzle.title;
    const broken = puzzle.contradictions;
    const filled = puzzle.cells.flat().filter((cell) => cell !== ".").length;
    const size = `${puzzle.rows}×${puzzle.cols}`;
    const about = puzzle.kind === "sudoku" ? `${size}, ${plural(filled, "clue")}` : puzzle.kind === "arc" ? `Input of ${size}` : size;
    $("puzzle-says").textContent = broken.length ? `No solution: ${sentence(broken[0].reason)}` : found || about;
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
    this.#draw({ status: "thinking", title: "Thinking …", says: "Waiting for the first step." });
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
        this.stage.draw();
      }
    }
  }

  #hear(event, data) {
    if (event === "step") {
      this.#taken(data);
      const where = data.view ? `, view ${data.view + 1}` : "";
      this.#draw({ status: "thinking", title: "Thinking …", says: `Step ${data.step}${where}: ${percent(data.halt_probability, 0)} sure to be done.` });
    } else if (event === "done") {
      if (this.player.steps.length !== data.steps.length) {
        this.player.reset();
        for (const step of data.steps) this.#taken(step);
      }
      this.answer = data;
      // The step that the answer is of need be neither the last nor of the first view.
      this.player.go(data.answer_step + 1);
      this.#draw();
    } else if (event === "error") {
      this.#failed(new ApiError(0, data.code, data.message, data.hint));
    }
  }

  #taken(step) {
    step.meanConfidence = this.stage.meanConfidence(step);
    this.player.add(step);
  }

  stop(silently = false) {
    if (!this.asking) return;
    this.asking.abort();
    this.asking = null;
    this.#busy(false);
    if (!silently) this.#draw({ status: "none", title: "Stopped", says: `After ${plural(this.player.steps.length, "step")}.` });
  }

  #busy(on) {
    $("solve").hidden = on;
    $("stop").hidden = !on;
    if (on && document.activeElement === document.body) $("stop").focus();
  }

  #failed(error) {
    this.#draw({ status: "unproven", title: "No answer", says: error.words ?? error.message });
    if (error.code === "unreachable") toast("The server does not answer", true);
  }
}
