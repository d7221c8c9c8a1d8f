// The steps of an answer on a slider: play, pause, step, speed.

import { $, el } from "./dom.js";

export class Player {
  /** show(number): draw step `number`; 0 is the puzzle itself. */
  constructor(show) {
    this.show = show;
    this.steps = [];
    this.at = 0;
    this.timer = 0;
    this.follow = true;
    $("step").addEventListener("input", () => {
      this.pause();
      this.go(Number($("step").value));
    });
    $("play").addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    $("first").addEventListener("click", () => {
      this.pause();
      this.go(0);
    });
    this.#label();
  }

  reset() {
    this.pause();
    this.steps = [];
    this.follow = true;
    this.at = 0;
    this.#label();
  }

  /** Add a step that has just been taken; it is shown unless a person looks at another. */
  add(step) {
    const atEnd = this.at === this.steps.length;
    this.steps.push(step);
    this.#label();
    if (this.follow && atEnd) this.go(this.steps.length, true);
  }

  go(number, following = false) {
    this.at = Math.max(0, Math.min(number, this.steps.length));
    this.follow = following || this.at === this.steps.length;
    this.#label();
    this.show(this.at);
  }

  play() {
    if (!this.steps.length) return;
    if (this.at === this.steps.length) this.go(0);
    $("play").setAttribute("aria-pressed", "true");
    $("play").setAttribute("aria-label", "Pause");
    const tick = () => {
      this.go(this.at + 1);
      if (this.at >= this.steps.length) return this.pause();
      this.timer = setTimeout(tick, Number($("speed").value));
    };
    this.timer = setTimeout(tick, Number($("speed").value));
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = 0;
    $("play").setAttribute("aria-pressed", "false");
    $("play").setAttribute("aria-label", "Play the steps");
  }

  #label() {
    const slider = $("step");
    const count = this.steps.length;
    slider.max = String(count);
    slider.value = String(this.at);
    slider.disabled = $("play").disabled = $("first").disabled = !count;
    const step = this.steps[this.at - 1];
    const words = step ? `step ${step.step}${step.view ? ` · view ${step.view + 1}` : ""}` : "puzzle";
    $("step-label").textContent = words;
    slider.setAttribute("aria-valuetext", words);
    $("ticks").replaceChildren(
      ...(count > 64 ? [] : [el("i"), ...this.steps.map((one) => el("i", { class: one.solved ? "ok" : one.view && one.step === 1 ? "view" : "" }))]),
    );
  }
}
