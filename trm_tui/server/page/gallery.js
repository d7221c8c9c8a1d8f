// The shelf of puzzles to choose from: those that ship with the program, and a model's held-out ones.

import { get } from "./api.js";
import { mini } from "./board.js";
import { $, el, toast } from "./dom.js";
import { cellsOf, cropped, titleOf } from "./kinds.js";

export class Gallery {
  /** context: {model(), take(puzzle), kindChosen(kind)} */
  constructor(context) {
    this.context = context;
    this.examples = [];
    this.kind = "";
    $("more-puzzles").addEventListener("click", () => this.heldOut());
  }

  async load() {
    const found = await get("api/examples");
    this.examples = found.examples;
    this.kinds = found.kinds;
  }

  /** The examples that a model reads; without one, all of a kind. */
  fitting(model) {
    return this.examples.filter((one) => model
      ? one.kind === model.kind && (one.kind === "arc" || (one.rows === model.rows && one.columns === model.columns && one.box[0] === model.box[0]))
      : one.kind === this.kind);
  }

  show(model) {
    const kind = model?.kind ?? (this.kind || "sudoku");
    this.kind = kind;
    const kinds = this.kinds.includes(kind) ? this.kinds : [...this.kinds, kind];
    $("kinds").replaceChildren(...kinds.map((one) => el("button", {
      type: "button", text: titleOf(one), "aria-pressed": String(one === kind),
      onclick: () => this.context.kindChosen(one),
    })));
    $("more-puzzles").hidden = !model;
    $("more-puzzles").textContent = "Held-out puzzles";
    const fitting = this.fitting(model);
    this.#list(fitting.length ? fitting : this.examples.filter((one) => one.kind === kind));
    return fitting;
  }

  async heldOut() {
    const model = this.context.model();
    if (!model) return;
    $("more-puzzles").textContent = "Loading …";
    try {
      const found = await get(`api/examples?model=${encodeURIComponent(model.id)}&n=12`);
      const dressed = found.examples.map((one) => ({ ...one, box: model.box, palette: model.palette }));
      this.#list(dressed);
      if (dressed[0]) this.context.take(dressed[0]);
    } catch (error) {
      toast(error.words ?? error.message, true);
    }
    $("more-puzzles").textContent = "Held-out puzzles";
  }

  #list(puzzles) {
    this.shown = puzzles;
    $("gallery").replaceChildren(...puzzles.map((one) => {
      const asked = Array.isArray(one.question) ? one.question : cellsOf(one.kind, one.puzzle, one.rows, one.columns);
      const rows = one.kind === "arc" ? cropped(asked) : asked;
      const button = el("button", { type: "button", "aria-label": `${titleOf(one.kind)}: ${one.title}`, "aria-pressed": "false", onclick: () => this.context.take(one) }, mini(one.kind, rows), el("span", { text: one.title }));
      button.dataset.id = one.id;
      return el("li", {}, button);
    }));
  }

  mark(id) {
    for (const button of $("gallery").querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(Boolean(id) && button.dataset.id === id));
  }
}
