// The page comes together here: models, puzzles, tabs, theme, what is pasted and dropped, links to puzzles.

import { get, takeToken } from "./api.js";
import { ApiView } from "./apiview.js";
import { BatchView } from "./batch.js";
import { ChatView } from "./chat.js";
import { $, count, el, fill, percent, roving, toast } from "./dom.js";
import { Gallery } from "./gallery.js";
import { editable, titleOf } from "./kinds.js";
import { ModelsView } from "./models.js";
import { readText } from "./reading.js";
import { SolveView } from "./solve.js";
import { TrainingView } from "./training.js";

const VIEWS = ["solve", "chat", "batch", "training", "models", "api"];
const PRESETS = { sudoku: "sudoku-4x4", maze: "maze-10", arc: "arc-mini", futoshiki: "futoshiki-5x5", "light-up": "light-up-7x7" };
const BLANK = { sudoku: [9, 9, [3, 3]], maze: [10, 10, [0, 0]], arc: [5, 5, [0, 0]] };

const app = { models: [], chosen: null, health: null };
const model = () => app.chosen;

const solve = new SolveView({ model, puzzleChanged: () => { gallery.mark(solve.puzzle.past.length ? "" : solve.puzzle.id); apiView.refresh(); } });
const gallery = new Gallery({ model, take: (puzzle) => solve.puzzle.take(puzzle), kindChosen });
const chat = new ChatView({ solve: async (puzzle) => { await loadModels(); if (app.models.some((one) => one.id === puzzle.model)) choose(puzzle.model, true); open("solve"); solve.puzzle.take({ ...puzzle, title: "From the chat" }); } });
const batch = new BatchView({ model });
const models = new ModelsView({ models: () => app.models, choose: (id) => { choose(id); open("solve"); } });
const training = new TrainingView({ health: () => app.health, models: async () => { await loadModels(); return app.models; }, serve: async (id) => { await loadModels(); choose(id); open("solve"); } });
const apiView = new ApiView({ body: () => solve.puzzle.request(solve.settings()) });

// --- tabs and theme -------------------------------------------------------------------------------------

function open(name, focus = false) {
  for (const one of VIEWS) {
    const tab = $(`tab-${one}`);
    tab.setAttribute("aria-selected", String(one === name));
    tab.tabIndex = one === name ? 0 : -1;
    $(`view-${one}`).hidden = one !== name;
  }
  if (focus) $(`tab-${name}`).focus();
  ({ chat, batch, training, models, api: apiView })[name]?.opened();
  if (name !== "training") training.closed();
}

function theme(set) {
  const dark = set ?? (localStorage.getItem("trm-theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  document.documentElement.dataset.theme = dark;
  if (set) localStorage.setItem("trm-theme", set);
}

// --- models ---------------------------------------------------------------------------------------------

async function loadModels() {
  const found = await get("api/models");
  app.models = found.models;
  const options = app.models.map((one) => el("option", { value: one.id, text: `${one.title} · ${percent(one.accuracy)}${one.status === "running" ? " · training" : ""}` }));
  $("model").replaceChildren(...options, ...(options.length ? [] : [el("option", { value: "", text: "no model yet" })]));
  $("model").disabled = !options.length;
  $("model-hint").hidden = Boolean(options.length);
  $("model-hint").textContent = found.hint;
  if (app.chosen) app.chosen = app.models.find((one) => one.id === app.chosen.id) ?? null;
  models.refresh();
}

const best = (list) => [...list].sort((a, b) => (b.accuracy ?? -1) - (a.accuracy ?? -1) || b.rows - a.rows)[0] ?? null;

function choose(id, keepPuzzle = false) {
  app.chosen = app.models.find((one) => one.id === id) ?? null;
  const chosen = app.chosen;
  if (chosen) $("model").value = chosen.id;
  $("none")?.remove();
  $("model-hint").hidden = app.models.length > 0;
  fill($("model-facts"), chosen ? [
    ["Learned", `${titleOf(chosen.kind)} ${chosen.rows}×${chosen.columns}`], ["Accuracy", percent(chosen.accuracy)],
    ["Parameters", count(chosen.parameters)], ["Step", count(chosen.step)],
  ] : []);
  $("max-steps").placeholder = chosen ? String(chosen.steps_by_default) : "model's";
  $("views").placeholder = chosen ? String(chosen.views_by_default) : "model's";
  const fitting = gallery.show(chosen);
  if (keepPuzzle) return;
  const puzzle = solve.puzzle;
  const fits = chosen && puzzle.kind === chosen.kind && (chosen.kind === "arc" || (puzzle.rows === chosen.rows && puzzle.cols === chosen.columns)) && solve.stage.board;
  if (fits && chosen.kind !== "arc") return gallery.mark(puzzle.id);
  if (chosen && (chosen.kind === "arc" || !editable(chosen.kind))) return void gallery.heldOut();
  if (fitting.length) solve.puzzle.take(fitting[0]);
  else if (chosen) solve.puzzle.blank(chosen.kind, chosen.rows, chosen.columns, chosen.box);
}

function kindChosen(kind) {
  const found = best(app.models.filter((one) => one.kind === kind));
  if (found) return choose(found.id);
  unlearned(kind);
  const example = gallery.shown[0];
  if (example) solve.puzzle.take(example);
  else solve.puzzle.blank(kind, ...BLANK[kind]);
}

/** No model has learned this kind of puzzle, or none its size. */
function unlearned(kind, size = "") {
  gallery.kind = kind;
  app.chosen = null;
  fill($("model-facts"), []);
  if (app.models.length) {
    $("none")?.remove();
    $("model").prepend(el("option", { id: "none", value: "", text: "none has learned this" }));
    $("model").value = "";
    const what = size ? `${titleOf(kind)} of ${size}` : "this kind";
    $("model-hint").textContent = `No session has learned ${what}. To make one: trm-tui run ${PRESETS[kind] ?? "sudoku-4x4"}`;
    $("model-hint").hidden = false;
  }
  gallery.show(null);
}

// --- puzzles from elsewhere -----------------------------------------------------------------------------

async function takeText(text) {
  const lines = text.trim().split("\n").filter((line) => line.trim());
  const list = lines.length > 1 && (/^"?(puzzle|quiz|question|id|source)/i.test(lines[0]) || (lines.length > 2 && lines.every((line) => line.trim().split(",")[0].length >= 16)));
  if (list && !lines[0].includes("#")) {
    open("batch");
    return batch.take(text);
  }
  const puzzle = await readText(text, app.chosen?.id);
  open("solve");
  const fits = (one) => one.kind === puzzle.kind && (one.kind === "arc" || (one.rows === puzzle.question.length && one.columns === puzzle.question[0].length));
  if (!app.chosen || !fits(app.chosen)) {
    const other = best(app.models.filter(fits));
    if (other) choose(other.id, true);
    else unlearned(puzzle.kind, `${puzzle.question.length}×${puzzle.question[0].length}`);
  }
  solve.puzzle.take(puzzle);
  return undefined;
}

async function tryText(text) {
  try {
    await takeText(text);
  } catch (error) {
    toast(error.words ?? error.message, true);
  }
}

function wireInput() {
  const dialog = $("text-dialog");
  $("paste").addEventListener("click", () => {
    $("text-error").textContent = "";
    dialog.showModal();
    $("text-input").select();
  });
  $("text-ok").addEventListener("click", async () => {
    try {
      await takeText($("text-input").value);
      dialog.close();
    } catch (error) {
      $("text-error").textContent = error.words ?? error.message;
    }
  });
  $("text-file").addEventListener("click", () => $("file-input").click());
  $("file-input").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    if (!file) return;
    dialog.close();
    await tryText(await file.text());
    event.target.value = "";
  });
  document.addEventListener("paste", async (event) => {
    if (event.target.closest?.("input, textarea")) return undefined;
    const text = event.clipboardData?.getData("text");
    if (!text) return undefined;
    event.preventDefault();
    return $("view-chat").hidden ? tryText(text) : chat.takeText(text);
  });
  for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && document.body.classList.remove("dropping"));
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const file = event.dataTransfer.files[0];
    if (file && file.size > 1_000_000) return toast("That file is too large: at most 1 MB", true);
    const text = file ? await file.text() : event.dataTransfer.getData("text");
    return $("view-chat").hidden ? tryText(text) : chat.takeText(text);
  });
  $("share").addEventListener("click", async () => {
    const fragment = `#p=${encodeURIComponent(solve.puzzle.text)}${app.chosen ? `&m=${encodeURIComponent(app.chosen.id)}` : ""}`;
    history.replaceState(null, "", fragment);
    await navigator.clipboard?.writeText(location.href).catch(() => undefined);
    toast("The link to this puzzle is in the address, and copied");
  });
}

async function takeLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const named = parts.get("m");
  if (named && app.models.some((one) => one.id === named)) choose(named, Boolean(parts.get("p")));
  if (!parts.get("p")) return false;
  await tryText(parts.get("p"));
  return Boolean(solve.stage.board);
}

// --- health ---------------------------------------------------------------------------------------------

async function pulse() {
  const pill = $("health");
  try {
    app.health = await get("health");
    const { queue, running, ready, device } = app.health;
    const busy = queue + running;
    pill.dataset.state = !ready ? "down" : busy ? "busy" : "ok";
    pill.lastElementChild.textContent = !ready ? "closing" : busy ? `${busy} in work` : `ready · ${device}`;
  } catch {
    pill.dataset.state = "down";
    pill.lastElementChild.textContent = "no server";
  }
  setTimeout(pulse, document.hidden ? 15000 : 4000);
}

async function begin() {
  takeToken();
  theme();
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  const tabs = document.querySelector("[role=tablist]");
  roving(tabs, "button");
  for (const name of VIEWS) {
    $(`tab-${name}`).addEventListener("click", () => open(name));
    $(`tab-${name}`).addEventListener("focus", () => $(`tab-${name}`).getAttribute("aria-selected") === "true" || open(name));
  }
  $("model").addEventListener("change", () => choose($("model").value));
  wireInput();
  pulse();
  await Promise.all([loadModels(), gallery.load()]);
  if (!(await takeLink())) {
    const first = best(app.models);
    if (first) choose(first.id);
    else kindChosen("sudoku");
  }
}

begin().catch((error) => toast(error.words ?? error.message, true));
