// A board: a grid of cells that can be read, focused and edited with mouse, finger and keyboard.

import { el } from "./dom.js";
import { KINDS, editable, name, symbolOf } from "./kinds.js";

const MOVES = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  k: [-1, 0], j: [1, 0], h: [0, -1], l: [0, 1],
};

export class Board {
  /** hooks: paint(r, c, symbol, {stroke}), tool() -> symbol, pick(r, c), key(event) -> handled */
  constructor(host, label, hooks = {}) {
    this.hooks = hooks;
    this.grid = el("div", { class: "board", role: "grid", "aria-label": label });
    host.append(this.grid);
    this.cells = [];
    this.at = [0, 0];
    this.stroke = null;
    this.grid.addEventListener("keydown", (event) => this.#key(event));
    this.grid.addEventListener("focusin", (event) => this.#focused(event.target));
    this.grid.addEventListener("pointerdown", (event) => this.#down(event));
    this.grid.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.grid.addEventListener(end, () => (this.stroke = null));
  }

  /** Draw a model of cells: rows of {symbol, classes, label, unsure}. Elements are kept where the shape stays. */
  draw({ kind, rows, box = [0, 0], shaded = false, digits = false, readonly = false, palette = {} }) {
    const height = rows.length;
    const width = rows[0]?.length ?? 0;
    if (this.cells.length !== height || (this.cells[0]?.length ?? 0) !== width) this.#build(height, width);
    this.kind = kind;
    this.readonly = readonly;
    this.palette = palette;
    this.grid.className = `board ${editable(kind) ? kind : "other"}${shaded ? " shaded" : ""}${digits ? " digits" : ""}`;
    this.grid.style.setProperty("--cols", width);
    this.grid.setAttribute("aria-readonly", String(readonly));
    rows.forEach((row, r) => row.forEach((cell, c) => this.#paint(r, c, cell, box, height, width)));
    this.#rove();
  }

  #build(height, width) {
    this.cells = [];
    this.grid.replaceChildren(
      ...Array.from({ length: height }, (_, r) => {
        const row = Array.from({ length: width }, (_, c) => {
          const cell = el("div", { class: "cell", role: "gridcell", tabindex: "-1" }, el("span"));
          cell.dataset.r = r;
          cell.dataset.c = c;
          return cell;
        });
        this.cells.push(row);
        return el("div", { role: "row" }, ...row);
      }),
    );
    this.grid.setAttribute("aria-rowcount", height);
    this.grid.setAttribute("aria-colcount", width);
    this.at = [Math.min(this.at[0], Math.max(height - 1, 0)), Math.min(this.at[1], Math.max(width - 1, 0))];
  }

  #paint(r, c, { symbol, classes = [], says = "", unsure = 0 }, box, height, width) {
    const node = this.cells[r][c];
    const names = ["cell", ...classes];
    if (this.kind === "sudoku") {
      if (box[1] && (c + 1) % box[1] === 0) names.push("be");
      if (box[0] && (r + 1) % box[0] === 0) names.push("bs");
      if (c + 1 === width) names.push("last-c");
      if (r + 1 === height) names.push("last-r");
    } else if (this.kind === "maze") {
      names.push({ "#": "wall", S: "start", G: "goal", o: "path" }[symbol] ?? "open");
    } else if (this.kind === "arc" && /^[0-9]$/.test(symbol)) names.push(`c${symbol}`);
    node.className = names.join(" ");
    if (!editable(this.kind)) {
      node.style.setProperty("--ground", this.palette[symbol] ?? "transparent");
      node.classList.toggle("coloured", symbol in this.palette);
      node.classList.toggle("left-out", symbol === "");
    }
    const shown = editable(this.kind) ? ({ ".": "", " ": "", "#": "", o: "" }[symbol] ?? symbol) : symbol.replace(".", "");
    if (node.firstChild.textContent !== shown) node.firstChild.textContent = shown;
    node.style.setProperty("--unsure", `${Math.round(100 * unsure)}%`);
    node.style.setProperty("--unsure-n", unsure.toFixed(2));
    node.setAttribute("aria-label", `row ${r + 1} column ${c + 1}, ${name(this.kind, symbol)}${says ? `, ${says}` : ""}`);
  }

  light(places, on) {
    for (const [r, c] of places) this.cells[r]?.[c]?.classList.toggle("lit", on);
  }

  focus(r = this.at[0], c = this.at[1]) {
    this.cells[r]?.[c]?.focus();
  }

  #rove() {
    for (const row of this.cells) for (const cell of row) cell.tabIndex = -1;
    const cell = this.cells[this.at[0]]?.[this.at[1]];
    if (cell) cell.tabIndex = 0;
  }

  #focused(node) {
    if (node.dataset.r === undefined) return;
    this.at = [Number(node.dataset.r), Number(node.dataset.c)];
    this.#rove();
    this.hooks.pick?.(...this.at);
  }

  #key(event) {
    if (this.hooks.key?.(event)) return event.preventDefault();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [r, c] = this.at;
    const move = MOVES[event.key];
    if (move) {
      event.preventDefault();
      const next = [r + move[0], c + move[1]];
      if (!this.cells[next[0]]?.[next[1]]) return;
      if (event.shiftKey && KINDS[this.kind]?.paints && !this.readonly) this.hooks.paint?.(...next, this.hooks.tool(), {});
      return this.focus(...next);
    }
    if (event.key === "Home") { event.preventDefault(); return this.focus(r, 0); }
    if (event.key === "End") { event.preventDefault(); return this.focus(r, this.cells[r].length - 1); }
    if (this.readonly || event.key === "Enter") return;
    const symbol = symbolOf(this.kind, event.key, this.cells.length);
    if (symbol === undefined) return;
    event.preventDefault();
    this.hooks.paint?.(r, c, symbol, {});
    if (this.kind === "sudoku" && symbol !== "." && this.cells[r][c + 1]) return this.focus(r, c);
  }

  #down(event) {
    const node = event.target.closest?.(".cell");
    if (!node || event.button > 0) return;
    const [r, c] = [Number(node.dataset.r), Number(node.dataset.c)];
    node.focus({ preventScroll: true });
    if (this.readonly || !KINDS[this.kind]?.paints) return;
    // One drag is one kind of stroke, also where it leaves the board and comes back.
    this.stroke = { symbol: this.hooks.tool(r, c), id: Math.random() };
    this.grid.setPointerCapture?.(event.pointerId);
    this.hooks.paint?.(r, c, this.stroke.symbol, { stroke: this.stroke.id });
    event.preventDefault();
  }

  #drag(event) {
    if (!this.stroke) return;
    const node = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".cell");
    if (!node || !this.grid.contains(node)) return;
    this.hooks.paint?.(Number(node.dataset.r), Number(node.dataset.c), this.stroke.symbol, { stroke: this.stroke.id });
  }
}

/** A small picture of a grid. */
export function mini(kind, rows) {
  const cells = rows.flat().map((symbol) => {
    if (kind === "arc") return el("i", { class: `c${symbol}` });
    if (kind === "maze") return el("i", { class: { "#": "wall", S: "start", G: "goal" }[symbol] ?? "" });
    if (!editable(kind)) return el("i", { text: symbol.replace(".", "") });
    return el("i", { class: symbol === "." ? "" : "fill" });
  });
  return el("div", { class: `mini ${kind}`, "aria-hidden": "true", vars: { "--cols": rows[0].length, "--rows": rows.length } }, ...cells);
}
