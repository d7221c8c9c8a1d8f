// A board inside an answer: the steps of its solving on a slider, played, and marked as on the Solve view.

import { Board } from "./board.js";
import { el, percent, svg } from "./dom.js";
import { cropped, editable, titleOf } from "./kinds.js";

const SPEED = 500;
const WORDS = { solved: "solved, checked by the rules", wrong: "not solved", unproven: "unproven" };

export class ChatBoard {
  /** open(puzzle): show the puzzle on the Solve view. */
  constructor(about, open) {
    this.about = about;
    this.steps = about.steps ? [...about.steps] : [];
    this.done = about.rows ? about : null;
    this.timer = 0;
    this.at = this.steps.length;
    this.host = el("figure", { class: "chat-board" });
    this.board = new Board(this.host, `${titleOf(about.kind)}, answer`);
    this.play = el("button", { type: "button", class: "icon", "aria-label": "Play the steps" }, svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: "M8 5v14l11-7z" })));
    this.slider = el("input", { type: "range", min: "0", "aria-label": "Supervision step" });
    this.label = el("output");
    const openIt = el("button", { type: "button", class: "link", text: "Open in Solve", onclick: () => open(this.about) });
    this.play.addEventListener("click", () => (this.timer ? this.pause() : this.start()));
    this.slider.addEventListener("input", () => { this.pause(); this.go(Number(this.slider.value)); });
    this.caption = el("figcaption");
    this.host.append(el("div", { class: "chat-player" }, this.play, this.slider, this.label), el("div", { class: "row-between" }, this.caption, openIt));
    this.go(this.at);
  }

  step(step) {
    const follow = this.at === this.steps.length;
    this.steps.push(step);
    this.go(follow ? this.steps.length : this.at);
  }

  finish(answer) {
    this.about = { ...this.about, ...answer };
    this.done = answer;
    this.steps = [...answer.steps];
    this.go(this.steps.length);
  }

  start() {
    if (!this.steps.length) return;
    if (this.at >= this.steps.length) this.go(0);
    this.play.setAttribute("aria-label", "Pause");
    const tick = () => {
      this.go(this.at + 1);
      if (this.at >= this.steps.length) return this.pause();
      this.timer = setTimeout(tick, SPEED);
    };
    this.timer = setTimeout(tick, SPEED);
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.play.setAttribute("aria-label", "Play the steps");
  }

  go(at) {
    this.at = Math.max(0, Math.min(at, this.steps.length));
    const step = this.steps[this.at - 1];
    this.slider.max = String(this.steps.length);
    this.slider.value = String(this.at);
    this.slider.disabled = this.play.disabled = !this.steps.length;
    this.label.textContent = step ? `step ${step.step}${step.view ? ` · view ${step.view + 1}` : ""}` : "puzzle";
    this.slider.setAttribute("aria-valuetext", this.label.textContent);
    this.#draw(step);
    const status = this.done?.status;
    this.host.dataset.status = status ?? "thinking";
    this.caption.textContent = status ? `${titleOf(this.about.kind)}: ${WORDS[status] ?? status}` : `${titleOf(this.about.kind)}: thinking …`;
  }

  #draw(step) {
    const { kind, question, given, box, palette } = this.about;
    const shown = step ? step.rows : question;
    const rows = kind === "arc" ? cropped(shown) : shown;
    const changed = new Set((step?.changed ?? []).map(([r, c]) => `${r},${c}`));
    const last = step && this.done && this.at === this.steps.length;
    const faults = new Set((last ? this.done.faults ?? [] : []).flatMap((fault) => fault.cells.map(([r, c]) => `${r},${c}`)));
    const cells = rows.map((row, r) => row.map((symbol, c) => {
      const key = `${r},${c}`;
      const isGiven = Boolean(given?.[r]?.[c]);
      const sure = step?.confidence?.[r]?.[c] ?? 1;
      const classes = [isGiven ? "given" : step ? "answer" : ""];
      const says = [isGiven ? "given" : step ? `${percent(sure, 0)} sure` : ""];
      if (changed.has(key)) { classes.push("changed"); says.push("changed"); }
      if (faults.has(key)) { classes.push("fault"); says.push("breaks a rule"); }
      return { symbol, classes: classes.filter(Boolean), says: says.filter(Boolean).join(", "), unsure: isGiven ? 0 : Math.min(1, (1 - sure) * 1.5) };
    }));
    this.board.draw({ kind, rows: cells, box: box ?? [0, 0], shaded: Boolean(step), readonly: true, palette: palette ?? {}, digits: !editable(kind) });
  }
}

/** Whether a value can be drawn as a board: what was imported may be anything. */
export function drawable(grid) {
  const rows = (value) => Array.isArray(value) && value.length > 0 && value.length <= 30 && value.every((row) => Array.isArray(row) && row.length > 0 && row.length <= 30 && row.every((cell) => typeof cell === "string"));
  const step = (one) => rows(one?.rows) && one.rows.length === grid.question.length;
  return typeof grid?.kind === "string" && rows(grid.question) && Array.isArray(grid.steps) && grid.steps.every(step);
}
