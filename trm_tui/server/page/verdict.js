// What is said of an answer: the verdict, the rules that it breaks, and the figures of the step that is shown.

import { haltingCurve } from "./charts.js";
import { $, el, fill, percent, plural, sentence } from "./dom.js";

const ENDED = { checked: "the rules accepted", halt: "the model halted", all: "all steps taken", time: "time was up" };
const NOTHING = { status: "none", title: "Not solved yet", says: "Press Solve, and watch the answer form." };
const BROKEN = { status: "none", title: "Breaks a rule", says: "As it is, the puzzle has no solution. What is marked must change." };
const MANY_VIEWS = 6;

export class Verdict {
  /** stage: lights and focuses cells; player: knows the steps */
  constructor(stage, player) {
    this.stage = stage;
    this.player = player;
  }

  /** Show what the answer is, or what is said in its place: {status, title, says}. */
  show(puzzle, answer, said = null) {
    const { status, title, says } = said ?? (answer ? judged(answer) : puzzle.contradictions.length ? BROKEN : NOTHING);
    $("verdict").dataset.status = status;
    $("verdict-title").textContent = title;
    $("verdict-says").textContent = says;
    const faults = answer?.faults ?? puzzle.contradictions;
    $("faults-card").hidden = !faults.length;
    $("faults").replaceChildren(...faults.slice(0, 40).map((fault) => this.#fault(fault)));
    this.figures(answer);
  }

  #fault(fault) {
    const light = (on) => () => this.stage.light(fault.cells, on);
    const go = () => fault.cells[0] && this.stage.focus(...fault.cells[0]);
    return el("li", {}, el("button", { type: "button", text: sentence(fault.reason), onclick: go, onmouseenter: light(true), onmouseleave: light(false), onfocus: light(true), onblur: light(false) }));
  }

  figures(answer) {
    const { steps, at } = this.player;
    const step = steps[at - 1];
    fill($("figures"), answer ? [
      ["Steps", `${answer.steps_used}`], ["Views", `${answer.views_used}`], ["Ended", ENDED[answer.ended]],
      ["Time", answer.cached ? "from the cache" : `${Math.round(answer.milliseconds)} ms`],
      ["Halting now", percent(step?.halt_probability, 0)],
      ["Changed here", plural(step?.changed.length ?? 0, "cell")],
      ...(answer.votes && answer.views_used > 1 ? [["Votes", `${answer.votes[0].votes} of ${answer.views_used}`]] : []),
    ] : []);
    const views = [...new Set(steps.map((one) => one.view))];
    const last = (view) => steps.findLastIndex((one) => one.view === view) + 1;
    const named = (view) => (view ? `View ${view + 1}` : "As asked");
    $("views-row").replaceChildren(...(views.length < 2 ? [] : views.map((view) => el("button", {
      type: "button", "aria-label": named(view), text: view && views.length > MANY_VIEWS ? `${view + 1}` : named(view),
      "aria-pressed": String(step?.view === view), onclick: () => this.player.go(last(view)),
    }))));
    haltingCurve($("curve"), steps.filter((one) => one.view === (step?.view ?? 0)), step ? step.step : 0);
  }
}

function judged({ status, compared, reason }) {
  const matches = status === "unproven" && compared?.exact;
  const title = matches ? "Matches what was expected" : { solved: "Solved", wrong: "Not solved", unproven: "Cannot be judged" }[status];
  const matched = compared ? ` ${compared.right} of ${compared.of} cells agree with the known solution.` : "";
  return { status: matches ? "solved" : status, title, says: `${sentence(reason)}${matched}` };
}
