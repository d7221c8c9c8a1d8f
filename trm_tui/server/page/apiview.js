// The API view: how a program asks what the page has just asked.

import { get } from "./api.js";
import { $, el, toast } from "./dom.js";

export class ApiView {
  constructor(context) {
    this.context = context;
    this.built = false;
  }

  async opened() {
    if (!this.built) await this.#build();
    this.refresh();
  }

  async #build() {
    this.built = true;
    this.code = el("pre", { class: "code", tabindex: "0", "aria-label": "A command that solves the present puzzle" });
    const copy = el("button", { type: "button", class: "soft", text: "Copy", onclick: async () => {
      await navigator.clipboard?.writeText(this.code.textContent);
      toast("Copied");
    } });
    const table = el("tbody");
    $("view-api").replaceChildren(
      el("div", { class: "card" }, el("h1", { text: "The puzzle on the board, asked by a program" }),
        el("p", { class: "lead", text: "Everything this page does goes through the same API. Add \"stream\": true to hear of every step as it is taken." }), this.code, copy),
      el("div", { class: "card" }, el("h2", { text: "Addresses" }),
        el("p", { class: "lead" }, "The full description, with every field, is at ", el("a", { href: "openapi.json", text: "openapi.json" }), "."),
        el("div", { class: "table", tabindex: "0" }, el("table", { class: "endpoints" }, el("thead", {}, el("tr", {}, el("th", { text: "Address" }), el("th", { text: "What it does" }))), table))),
    );
    const { paths } = await get("openapi.json");
    for (const [path, methods] of Object.entries(paths))
      for (const [method, about] of Object.entries(methods))
        table.append(el("tr", {}, el("td", { text: `${method.toUpperCase()} ${path}` }), el("td", { class: "wrap", text: (about.description ?? "").split("\n")[0] })));
  }

  refresh() {
    if (!this.built || $("view-api").hidden) return;
    const body = JSON.stringify(this.context.body()).replaceAll("'", "'\\''");
    const base = new URL("api/solve", location.href).href;
    const token = sessionStorage.getItem("trm-token") ? " -H 'authorization: Bearer TOKEN'" : "";
    this.code.textContent = `curl ${base} -H 'content-type: application/json'${token} \\\n  -d '${body}'`;
  }
}
