// The Chat view: a conversation that streams in, with boards that can be played, and its history beside it.

import { ApiError, events, get } from "./api.js";
import { ChatBoard, drawable } from "./chatboard.js";
import { ChatStore, newChat } from "./chatstore.js";
import { copyText, drawText } from "./chattext.js";
import { download, el, svg, toast } from "./dom.js";

const EXAMPLES = [
  ["Solve a puzzle", "Can you solve this sudoku?\n\n1 . | . 4\n. . | . .\n----+----\n. . | 4 .\n. 2 | 3 ."],
  ["Ask about the program", "How do I resume a run that was stopped?"],
  ["A maze in words", "Find the way out:\n\n##########\n#S  #    #\n# # # ## #\n# #   #  #\n# ##### ##\n#     #  #\n### # ## #\n#   #    #\n# #######G\n##########"],
];
const STATES = { loaded: "in memory", unloaded: "not in memory", loading: "loading …", failed: "failed", remote: "on its server", named: "" };
const HISTORY = 60;
const DRAWN = /(?:^[\s\d.|+#_SG-]{3,}\n?){3}/m; // a grid in a message keeps its columns
const BUSY = "an answer is on its way";

export class ChatView {
  /** context: {solve(puzzle): show a puzzle on the Solve view} */
  constructor(context) {
    this.context = context;
    this.store = new ChatStore();
    this.chat = newChat();
    this.built = false;
    this.aborter = null;
  }

  async opened() {
    if (!this.built) this.#build();
    await this.#loadModels();
    // Whoever goes through the tabs by arrow keys stays among them.
    if (document.activeElement?.getAttribute("role") !== "tab") this.input.focus({ preventScroll: true });
  }

  /** Take a text that was dropped or pasted onto the page. */
  takeText(text) {
    this.input.value = this.input.value ? `${this.input.value}\n${text}` : text;
    this.#fit();
    this.input.focus();
  }

  // --- the view -----------------------------------------------------------------------------------------

  #build() {
    this.built = true;
    this.model = el("select", { id: "chat-model", onchange: () => this.#modelChosen() });
    this.modelSays = el("p", { class: "hint", id: "chat-model-says", role: "status" });
    this.list = el("ul", { class: "chat-list", "aria-label": "Conversations" });
    this.log = el("div", { class: "chat-log", id: "chat-log", role: "log", "aria-label": "Conversation", tabindex: "0" });
    this.input = el("textarea", { id: "chat-input", rows: "1", placeholder: "A puzzle, or a question …", "aria-label": "Message", autocomplete: "off", maxlength: "100000" });
    this.send = el("button", { type: "submit", class: "primary", id: "chat-send", "aria-label": "Send", title: "Send (Enter)" }, icon("M5 12h14M13 6l6 6-6 6"));
    this.stop = el("button", { type: "button", class: "soft", id: "chat-stop", text: "Stop", hidden: true, onclick: () => this.aborter?.abort() });
    const file = el("input", { type: "file", hidden: true, accept: ".json,application/json", onchange: (event) => this.#import(event) });
    const aside = el("details", { class: "chat-side card", open: !matchMedia("(max-width: 860px)").matches },
      el("summary", { text: "Model and history" }),
      el("label", { for: "chat-model", class: "label", text: "Who answers" }), el("div", { class: "select" }, this.model), this.modelSays,
      el("div", { class: "row-between" }, el("h2", { class: "label", text: "Conversations" }), el("button", { type: "button", class: "link", id: "chat-new", text: "New", onclick: () => this.#begin(newChat()) })),
      this.list,
      el("p", { class: "hint", text: "Kept in this browser only." }),
      el("div", { class: "chat-side-tools" },
        el("button", { type: "button", class: "link", id: "chat-export", text: "Export", onclick: () => download("trm-chats.json", this.store.exported(), "application/json") }),
        el("button", { type: "button", class: "link", id: "chat-import", text: "Import", onclick: () => file.click() }),
        el("button", { type: "button", class: "link danger", id: "chat-clear", text: "Delete all", onclick: () => this.#clear() }), file));
    this.form = el("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.#submit(); } }, this.input, this.stop, this.send);
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("input", () => this.#fit());
    this.log.addEventListener("keydown", (event) => event.key === "Escape" && this.aborter?.abort());
    document.getElementById("view-chat").replaceChildren(el("h1", { class: "visually-hidden", text: "Chat" }), aside, el("div", { class: "chat-main card" }, this.log, this.form));
    this.#draw();
    this.#listChats();
  }

  async #loadModels() {
    try {
      const found = await get("api/chat/models");
      this.models = found.models;
      const wanted = this.model.value || localStorage.getItem("trm-chat-model") || "auto";
      this.model.replaceChildren(...found.models.map((one) => el("option", { value: one.id, text: optionText(one, found) })));
      this.model.value = found.models.some((one) => one.id === wanted) ? wanted : "auto";
      this.#modelSays(found);
    } catch (error) {
      toast(error.words ?? error.message, true);
    }
  }

  #modelChosen() {
    localStorage.setItem("trm-chat-model", this.model.value);
    this.#loadModels();
  }

  #modelSays(found) {
    const one = found.models.find((model) => model.id === (this.model.value === "auto" ? found.language : this.model.value));
    const parts = one ? [STATES[one.state] ?? "", one.bytes ? `about ${megabytes(one.bytes)}` : "", one.context ? `${one.context.toLocaleString("en")} tokens of context` : "", one.about] : ["no language model: puzzles are solved, and questions answered from the documents"];
    this.modelSays.textContent = parts.filter(Boolean).join(" · ");
  }

  #key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape") this.aborter?.abort();
    else if (event.key === "ArrowUp" && !this.input.value) {
      const at = this.chat.turns.findLastIndex((turn) => turn.role === "user");
      if (at >= 0) { event.preventDefault(); this.#edit(at); }
    }
  }

  #fit() {
    this.input.rows = Math.min(10, Math.max(1, this.input.value.split("\n").length));
  }

  // --- conversations ------------------------------------------------------------------------------------

  #begin(chat) {
    this.aborter?.abort();
    this.chat = chat;
    this.#draw();
    this.#listChats();
    this.input.focus();
  }

  #listChats() {
    this.list.replaceChildren(...this.store.list().map((chat) => el("li", {},
      el("button", { type: "button", class: "chat-item", "aria-current": chat.id === this.chat.id ? "true" : undefined, onclick: () => this.#begin(structuredClone(chat)) }, el("span", { text: chat.title || "Conversation" }), el("small", { text: new Date(chat.time).toLocaleDateString() })),
      el("button", { type: "button", class: "icon small", "aria-label": `Delete ${chat.title || "conversation"}`, onclick: () => this.#remove(chat.id) }, icon("M6 6l12 12M18 6 6 18")))));
  }

  #remove(id) {
    this.store.remove(id);
    if (id === this.chat.id) this.#begin(newChat());
    else this.#listChats();
  }

  #clear() {
    if (!this.store.list().length || !confirm("Delete every conversation that this browser keeps?")) return;
    this.store.clear();
    this.#begin(newChat());
  }

  async #import(event) {
    const file = event.target.files[0];
    event.target.value = "";
    if (!file) return;
    try {
      const count = this.store.imported(await file.text());
      this.#listChats();
      toast(`${count} conversation${count === 1 ? "" : "s"} imported`);
    } catch (error) {
      toast(error instanceof SyntaxError ? "That file holds no conversations." : error.message, true);
    }
  }

  #keep() {
    this.chat.time = Date.now();
    this.chat.title ||= this.chat.turns[0]?.content.trim().split("\n")[0].slice(0, 60) ?? "";
    if (!this.store.save(structuredClone(this.chat))) toast("This browser has no room to keep the conversation", true);
    this.#listChats();
  }

  // --- messages -----------------------------------------------------------------------------------------

  #draw() {
    const turns = this.chat.turns.map((turn, at) => this.#turn(turn, at));
    const welcome = el("div", { class: "chat-welcome" }, el("h2", { text: "A language model may talk. The recursive model solves. The rules check." }),
      el("p", { class: "hint", text: "Send a Sudoku, a maze or an ARC task in any notation, or ask a question." }),
      el("div", { class: "chat-examples" }, ...EXAMPLES.map(([title, text]) => el("button", { type: "button", class: "soft", text: title, onclick: () => { this.input.value = text; this.#submit(); } }))));
    this.log.replaceChildren(...(turns.length ? turns : [welcome]));
    this.log.scrollTop = this.log.scrollHeight;
  }

  #turn(turn, at) {
    const body = el("div", { class: "turn-body" });
    const tools = el("div", { class: "turn-tools" }, el("button", { type: "button", class: "link", text: "Copy", onclick: () => copyText(turn.content) }));
    const node = el("article", { class: `turn ${turn.role}`, "aria-label": turn.role === "user" ? "You" : "Answer" }, body, tools);
    if (turn.role === "user") {
      body.append(el("div", { class: DRAWN.test(turn.content) ? "said drawn" : "said", text: turn.content }));
      tools.append(el("button", { type: "button", class: "link", text: "Edit", onclick: () => this.#edit(at) }));
    } else {
      this.#answer(body, turn);
      tools.append(el("button", { type: "button", class: "link", text: "Again", title: "Answer again", onclick: () => this.#again(at) }));
    }
    return node;
  }

  #answer(body, turn) {
    const reply = turn.reply ?? {};
    const grids = (Array.isArray(reply.grids) ? reply.grids : []).filter(drawable);
    if (turn.error) body.append(el("p", { class: "error", role: "alert", text: turn.error }));
    body.append(...drawText(turn.content, { withGrids: grids.length === 0 }));
    for (const grid of grids) body.append(new ChatBoard(grid, this.context.solve).host);
    if (turn.stopped) body.append(el("p", { class: "hint", text: "Stopped." }));
    if (reply.marked) body.append(el("details", { class: "marked" }, el("summary", { text: `The grid stands: ${reply.marked.reason}` }), el("p", { text: String(reply.marked.said) })));
    const sources = Array.isArray(reply.sources) ? reply.sources : [];
    if (sources.length) body.append(el("details", { class: "sources" }, el("summary", { text: `Sources (${sources.length})` }), el("ol", {}, ...sources.map((one) => el("li", {}, el("b", { text: `${one.title} ` }), el("small", { text: one.where }), el("p", { text: String(one.text).slice(0, 600) }))))));
    const notes = [reply.left_out ? `${reply.left_out} earlier turns did not fit the model and were left out` : "", ...(Array.isArray(reply.notes) ? reply.notes : [])].filter(Boolean);
    for (const note of notes) body.append(el("p", { class: "hint", text: note }));
    if (reply.route) {
      const time = reply.timings?.milliseconds;
      body.append(el("p", { class: "route" }, el("span", { class: `tag ${reply.solved ? "solved" : ""}`, text: reply.route }), ` ${reply.reason}${time ? ` · ${(time / 1000).toFixed(1)} s` : ""}`));
    }
  }

  #edit(at) {
    if (this.aborter) return toast(BUSY, true);
    this.input.value = this.chat.turns[at].content;
    this.chat.turns = this.chat.turns.slice(0, at);
    this.#draw();
    this.#fit();
    return this.input.focus();
  }

  #again(at) {
    if (this.aborter) return toast(BUSY, true);
    const asked = this.chat.turns[at - 1];
    if (asked?.role !== "user") return undefined;
    this.chat.turns = this.chat.turns.slice(0, at - 1);
    return this.#ask(asked.content);
  }

  #submit() {
    const text = this.input.value;
    if (!text.trim() || this.aborter) return;
    this.input.value = "";
    this.#fit();
    this.#ask(text);
  }

  async #ask(message) {
    const chat = this.chat;
    const history = chat.turns.filter((turn) => !turn.error && turn.content).slice(-HISTORY).map(({ role, content }) => ({ role, content }));
    const turn = { role: "assistant", content: "" };
    chat.turns.push({ role: "user", content: message }, turn);
    this.#draw();
    const body = this.log.lastElementChild.querySelector(".turn-body");
    body.replaceChildren(el("p", { class: "hint thinking", text: "Thinking …" }));
    this.aborter = new AbortController();
    this.#busy(true);
    try {
      await this.#stream(turn, body, { message, history, model: this.model.value || "auto", stream: true });
    } catch (error) {
      if (error.name === "AbortError") turn.stopped = true;
      else turn.error = error.words ?? error.message;
    }
    this.aborter = null;
    this.#busy(false);
    if (this.chat === chat) { this.#draw(); this.#keep(); }
    this.#loadModels();
  }

  async #stream(turn, body, json) {
    const boards = new Map();
    const words = el("div");
    const live = el("div", { class: "turn-boards" });
    let begun = false;
    for await (const { event, data } of events("api/chat", { method: "POST", json, signal: this.aborter.signal })) {
      if (!begun && event !== "route") { begun = true; body.replaceChildren(live, words); }
      if (event === "route") { const line = body.querySelector(".thinking"); if (line) line.textContent = data.route === "language" ? "Thinking …" : `Solving … (${data.reason})`; }
      else if (event === "puzzle") { const board = new ChatBoard({ ...data, steps: [] }, this.context.solve); boards.set(data.number, board); live.append(board.host); }
      else if (event === "step") boards.get(data.number)?.step(data);
      else if (event === "grid") boards.get(data.number)?.finish(data);
      else if (event === "text") { turn.content += data.text; words.replaceChildren(...drawText(turn.content, { withGrids: boards.size === 0 })); }
      else if (event === "done") { turn.content = data.response; turn.reply = data; }
      else if (event === "error") throw new ApiError(0, data.code, data.message, data.hint);
      this.#follow();
    }
    if (!turn.reply) throw new ApiError(0, "cut", "The server broke off its answer", "Ask again.");
  }

  #follow() {
    const below = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight;
    if (below < 160) this.log.scrollTop = this.log.scrollHeight;
  }

  #busy(on) {
    this.stop.hidden = !on;
    this.send.hidden = on;
    this.log.setAttribute("aria-busy", String(on));
    this.input.focus({ preventScroll: true });
  }
}

const icon = (path) => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: path }));
const megabytes = (bytes) => (bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`);

function optionText(one, found) {
  const kind = { gguf: "file", openai: "server", ollama: "Ollama", text: "text" }[one.kind] ?? "";
  const memory = one.bytes ? ` · ${megabytes(one.bytes)}` : "";
  const selected = one.id === found.selected && one.id !== "auto" ? " · selected" : "";
  if (one.id === "auto") return found.language ? `auto (${found.language} + recursive models)` : "auto (recursive models)";
  if (one.id === "trm") return "recursive models alone";
  return `${one.title}${one.kind === "trm" ? ` · ${one.about}` : ` · ${kind}`}${memory}${one.state === "loaded" ? " · loaded" : ""}${selected}`;
}
