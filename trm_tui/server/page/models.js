// The Models view: what can be asked, and everything there is to know about one.

import { get } from "./api.js";
import { $, count, el, fill, percent, toast } from "./dom.js";
import { titleOf } from "./kinds.js";

export class ModelsView {
  constructor(context) {
    this.context = context;
  }

  opened() {
    this.refresh();
  }

  refresh() {
    const view = $("view-models");
    if (view.hidden) return;
    const models = this.context.models();
    if (!models.length) {
      view.replaceChildren(el("div", { class: "card empty" }, el("h1", { text: "No trained model yet" }), el("p", { text: "This makes one in seconds:" }), el("code", { text: "trm-tui run sudoku-4x4" })));
      return;
    }
    const head = ["Model", "Puzzles", "Accuracy", "Parameters", "Step", "Status", "In memory", "Actions"];
    const numeric = new Set(["Accuracy", "Parameters", "Step"]);
    const body = models.map((one) => el("tr", {},
      el("td", {}, el("b", { text: one.title })), el("td", { text: `${titleOf(one.kind)} ${one.rows}×${one.columns}` }),
      el("td", { class: "num", text: percent(one.accuracy) }), el("td", { class: "num", text: count(one.parameters) }), el("td", { class: "num", text: count(one.step) }),
      el("td", {}, el("span", { class: `tag ${one.status}`, text: one.status })), el("td", { text: one.loaded ? "yes" : "no" }),
      el("td", {}, el("button", { type: "button", class: "link", text: "Details", "aria-label": `Details of ${one.title}`, onclick: () => this.#details(one.id) }), " ",
        el("button", { type: "button", class: "link", text: "Use", "aria-label": `Use ${one.title}`, onclick: () => this.context.choose(one.id) }))));
    this.detail = el("div", { class: "card", hidden: true });
    view.replaceChildren(
      el("div", { class: "card" }, el("h1", { text: "Models" }), el("p", { class: "lead", text: "Every puzzle session with a checkpoint, the best checkpoint of each. A session that improves is served anew by itself." }),
        el("div", { class: "table", tabindex: "0", "aria-label": "Models" }, el("table", {}, el("thead", {}, el("tr", {}, ...head.map((text) => el("th", { class: numeric.has(text) ? "num" : "", text })))), el("tbody", {}, ...body)))),
      this.detail);
  }

  async #details(id) {
    try {
      const found = await get(`api/model-info?model=${encodeURIComponent(id)}`);
      const { architecture: a, training: t } = found;
      const stat = (value, label) => el("div", { class: "stat" }, el("b", { text: value }), el("span", { text: label }));
      const list = el("dl", { class: "facts" });
      fill(list, [
        ["Session", found.id], ["Mixing", a.mixer === "mlp_t" ? "MLP along the length" : "attention"], ["Width", a.hidden_size], ["Layers", a.layers],
        ["Cycles", `${a.h_cycles} × ${a.l_cycles}`], ["Steps by default", found.steps_by_default], ["Trained with", `${count(t.batch_size)} rows a step`],
        ["Weights", found.weights.slice(0, 24)], ["Made", new Date(found.created).toLocaleString()], ["Device", found.device],
      ]);
      this.detail.hidden = false;
      this.detail.replaceChildren(el("h2", { text: found.title }), el("div", { class: "stats" }, stat(count(found.parameters), "parameters"), stat(percent(found.accuracy), "of held-out puzzles"), stat(count(found.step), "steps trained"), stat(`${(found.bytes / 1e6).toFixed(1)} MB`, "in memory")), list);
      this.detail.scrollIntoView({ block: "nearest", behavior: "smooth" });
    } catch (error) {
      toast(error.words ?? error.message, true);
    }
  }
}
