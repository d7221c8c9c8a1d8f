// The form that lets a session go on learning from one's own puzzles, where the server allows it.

import { get, post, request } from "./api.js";
import { el, plural } from "./dom.js";
import { titleOf } from "./kinds.js";

export class FinetuneForm {
  constructor(context) {
    this.context = context;
    this.node = el("div", { class: "card", hidden: true });
    this.timer = 0;
  }

  /** models: those that can be taught; they are listed anew whenever the view is opened. */
  show(health, models) {
    this.node.hidden = !health.training_allowed;
    if (this.node.hidden) return;
    if (!this.node.childElementCount) this.#build();
    const chosen = this.session.value;
    this.session.replaceChildren(...models.filter((one) => one.judged).map((one) => el("option", { value: one.id, text: `${one.title} · ${titleOf(one.kind)} ${one.rows}×${one.columns}` })));
    if (models.some((one) => one.id === chosen)) this.session.value = chosen;
    this.go.disabled = !this.session.options.length || Boolean(this.run?.running);
  }

  #build() {
    this.session = el("select", { id: "teach-session" });
    this.data = el("textarea", { rows: "6", id: "teach-data", spellcheck: "false", placeholder: "puzzle,solution\n1..4......4..23.,1324241331424231" });
    this.steps = el("input", { type: "number", id: "teach-steps", min: "1", max: "100000", value: "200" });
    this.lr = el("input", { type: "number", id: "teach-lr", min: "0", max: "1", step: "any", placeholder: "a quarter of the parent's" });
    this.says = el("p", { class: "hint", role: "status" });
    this.error = el("p", { class: "error", role: "alert" });
    this.file = el("input", { type: "file", hidden: true, onchange: async (event) => {
      const file = event.target.files[0];
      if (file) this.data.value = await file.text();
      event.target.value = "";
    } });
    this.go = el("button", { type: "button", class: "primary", id: "teach-go", text: "Start", onclick: () => this.#start() });
    this.halt = el("button", { type: "button", class: "soft danger", text: "Stop and save", hidden: true, onclick: () => this.#stop() });
    this.serve = el("button", { type: "button", class: "soft", text: "Serve this model", hidden: true, onclick: () => this.context.serve(this.run.session) });
    this.node.append(el("h2", { text: "Teach a model your own puzzles" }),
      el("p", { class: "lead", text: "A session goes on learning from puzzles with their solutions, as a session of its own in a process of its own. The one it begins from stays as it is." }),
      el("div", { class: "form-row" }, el("label", { class: "grow" }, "Begin from", this.session), el("label", {}, "Steps", this.steps), el("label", { class: "grow" }, "Learning rate", this.lr)),
      el("label", { class: "label", for: "teach-data", text: "Puzzles with solutions" }), this.data, this.file,
      el("div", { class: "form-row" }, this.go, this.halt, this.serve, el("button", { type: "button", class: "soft", text: "Open a file…", onclick: () => this.file.click() })), this.says, this.error);
    this.#resume();
  }

  async #resume() {
    const { runs } = await get("api/finetune").catch(() => ({ runs: [] }));
    const going = runs.find((one) => one.running);
    if (going) this.#follow(going);
  }

  async #start() {
    this.error.textContent = "";
    this.go.disabled = true;
    try {
      const lr = this.lr.value === "" ? {} : { lr: Number(this.lr.value) };
      this.#follow(await post("api/finetune", { session: this.session.value, data: this.data.value, steps: Number(this.steps.value), ...lr }));
    } catch (error) {
      this.error.textContent = error.words ?? error.message;
      this.go.disabled = false;
    }
  }

  #follow(run) {
    this.run = run;
    this.go.disabled = run.running;
    this.halt.hidden = !run.running;
    this.serve.hidden = run.running || !run.session;
    this.says.textContent = run.message ?? "";
    if (run.puzzles) this.says.textContent = `${plural(run.puzzles, "puzzle")} taken. ${this.says.textContent}`;
    if (run.session && run.session !== this.shown) {
      this.shown = run.session;
      this.context.started(run.session);
    }
    clearTimeout(this.timer);
    if (run.running) this.timer = setTimeout(async () => {
      try {
        this.#follow(await get(`api/finetune/${run.id}`));
      } catch (error) {
        this.error.textContent = error.words ?? error.message;
      }
    }, 1000);
    else if (run.error) this.error.textContent = run.error;
  }

  async #stop() {
    this.halt.disabled = true;
    await request(`api/finetune/${this.run.id}`, { method: "DELETE" }).catch((error) => (this.error.textContent = error.words));
    this.halt.disabled = false;
  }
}
