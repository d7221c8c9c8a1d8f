// The Training view: curves of sessions, live for one that runs.

import { events, get } from "./api.js";
import { lineChart } from "./charts.js";
import { $, count, duration, el, percent, toast } from "./dom.js";
import { FinetuneForm } from "./finetune.js";

export class TrainingView {
  constructor(context) {
    this.context = context;
    this.watching = null;
    this.chosen = "";
    this.built = false;
    this.form = new FinetuneForm({ started: (id) => this.#started(id), serve: (id) => context.serve(id) });
  }

  opened() {
    if (!this.built) this.#build();
    this.#list();
  }

  closed() {
    this.watching?.abort();
    this.watching = null;
  }

  #build() {
    this.built = true;
    this.sessions = el("div", { class: "session-list", role: "group", "aria-label": "Sessions" });
    this.title = el("h1", { text: "Choose a session" });
    this.says = el("p", { class: "hint", role: "status" });
    this.stats = el("div", { class: "stats" });
    this.loss = el("div");
    this.accuracy = el("div");
    this.curves = el("div", { class: "card" }, this.title, this.says, this.stats,
      el("div", { class: "chart" }, el("h2", { text: "Loss" }), this.loss), el("div", { class: "chart" }, el("h2", { text: "Accuracy on held-out puzzles" }), this.accuracy));
    $("view-training").replaceChildren(el("div", { class: "split" }, el("div", { class: "card" }, el("h2", { class: "label", text: "Sessions" }), this.sessions), el("div", {}, this.curves, this.form.node)));
  }

  async #list() {
    try {
      const { sessions } = await get("api/sessions");
      this.sessions.replaceChildren(...sessions.map((one) => el("button", { type: "button", "aria-pressed": String(one.id === this.chosen), onclick: () => this.#watch(one.id) },
        el("b", { text: one.title }), el("span", { class: `tag ${one.status}`, text: one.status }), el("small", { text: `${one.task} · ${count(one.step)} steps · ${percent(one.accuracy)}` }))));
      if (!sessions.length) this.sessions.replaceChildren(el("p", { class: "hint", text: "No session yet. Begin one with trm-tui run sudoku-4x4." }));
      this.form.show(this.context.health() ?? (await get("health")), await this.context.models());
      if (!this.watching && sessions.length) this.#watch((sessions.find((one) => one.status === "running") ?? sessions.find((one) => one.id === this.chosen) ?? sessions[0]).id);
    } catch (error) {
      toast(error.words ?? error.message, true);
    }
  }

  #started(id) {
    this.#list();
    this.#watch(id);
  }

  /** Follow a session; the stream begins with the curve so far, and is taken up again where it breaks. */
  async #watch(id) {
    this.watching?.abort();
    const watching = (this.watching = new AbortController());
    this.chosen = id;
    for (const button of this.sessions.children) button.setAttribute?.("aria-pressed", "false");
    let wait = 1000;
    while (this.watching === watching) {
      try {
        for await (const { event, data } of events(`api/sessions/${encodeURIComponent(id)}/events`, { signal: watching.signal })) {
          if (this.watching !== watching) return;
          wait = 1000;
          if (event === "curve") this.#draw(data);
          if (event === "end") {
            this.#draw(data);
            return;
          }
        }
      } catch (error) {
        if (error.name === "AbortError") return;
        if (error.status === 404) return void toast(error.message, true);
        this.says.textContent = "The connection broke; trying again …";
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, 15000);
    }
  }

  #draw({ session, steps, evaluations, latest }) {
    this.title.textContent = session.title;
    const going = session.status === "running";
    this.says.textContent = going ? `Training: step ${count(latest?.step)} of ${count(latest?.steps)}, ${duration(latest?.eta_seconds)} left.` : `This session is ${session.status}.${session.parent ? ` It began from ${session.parent}.` : ""}`;
    const stat = (value, label) => el("div", { class: "stat" }, el("b", { text: value }), el("span", { text: label }));
    const score = evaluations.at(-1)?.score;
    this.stats.replaceChildren(stat(count(latest?.step ?? 0), "steps"), stat(latest?.loss?.toFixed(3) ?? "–", "loss"), stat(score === undefined ? "–" : percent(score), "held-out accuracy"), stat(latest ? count(Math.round(latest.samples_per_second)) : "–", "samples a second"));
    lineChart(this.loss, { label: "Loss over training steps", low: 0, format: (v) => v.toFixed(2), series: [{ className: "loss", points: steps.filter((p) => p.loss !== null).map((p) => [p.step, p.loss]) }] });
    lineChart(this.accuracy, { label: "Held-out accuracy over training steps", low: 0, high: 1, format: (v) => `${Math.round(100 * v)} %`, series: [{ className: "acc", dots: true, points: evaluations.filter((p) => p.score !== null).map((p) => [p.step, p.score]) }] });
  }
}
