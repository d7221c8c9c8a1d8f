// What the page knows of each kind of puzzle: its symbols, how grids are written, and what contradicts.

const SYMBOLS = "123456789ABCDEFG";

export const KINDS = {
  sudoku: { title: "Sudoku", blank: ".", paints: false },
  maze: { title: "Mazes", blank: " ", paints: true },
  arc: { title: "ARC", blank: "0", paints: true },
};

export const titleOf = (kind) => KINDS[kind]?.title ?? (kind[0] ?? "").toUpperCase() + kind.slice(1).replaceAll(/[_-]/g, " ");

/** Whether the page can edit a kind of puzzle; others are drawn as the server tells them, and entered as text. */
export const editable = (kind) => kind in KINDS;

/** The symbols that can be put into a cell: [symbol, label]. */
export function choices(kind, rows) {
  if (kind === "sudoku") return [...SYMBOLS.slice(0, rows)].map((s) => [s, s]).concat([[".", "Erase"]]);
  if (kind === "maze") return [["#", "Wall"], [" ", "Open"], ["S", "Start"], ["G", "Goal"]];
  if (kind === "arc") return [..."0123456789"].map((s) => [s, s]);
  return [];
}

/** The symbol that a key types in a kind of puzzle; undefined for none. */
export function symbolOf(kind, key, rows) {
  const upper = key.toUpperCase();
  if (kind === "sudoku") {
    if (["0", ".", " ", "Backspace", "Delete"].includes(key)) return ".";
    return key.length === 1 && SYMBOLS.slice(0, rows).includes(upper) ? upper : undefined;
  }
  if (kind === "maze") {
    if (key === "Backspace" || key === "Delete" || key === ".") return " ";
    if (key === "#" || upper === "W" || key === "x") return "#";
    if (key === " " || upper === "O") return " ";
    return upper === "S" || upper === "G" ? upper : undefined;
  }
  if (kind === "arc") {
    if (key === "Backspace" || key === "Delete") return "0";
    return /^[0-9]$/.test(key) ? key : undefined;
  }
  return undefined;
}

export const blankGrid = (kind, rows, cols) =>
  Array.from({ length: rows }, () => Array(cols).fill(KINDS[kind]?.blank ?? "."));

/** Drop what a drawing leaves out: rows and columns of empty symbols at the end (the canvas of ARC). */
export function cropped(rows) {
  const height = rows.filter((row) => row[0] !== "").length;
  const width = Math.max(0, ...rows.slice(0, height).map((row) => row.filter((cell) => cell !== "").length));
  return rows.slice(0, height).map((row) => row.slice(0, width));
}

/** A kind that the page does not know is written by the server alone: its text travels with the puzzle. */
export function textOf(kind, cells) {
  if (kind === "arc") return cells.map((row) => row.join("")).join("/");
  if (kind === "maze") return cells.map((row) => row.join("").replaceAll(" ", ".")).join("\n");
  return cells.map((row) => row.join("")).join("");
}

/** Read a text that the server has written: rows of symbols. */
export function cellsOf(kind, text, rows, cols) {
  if (kind === "arc") return text.replace(/^task:\S+\s+/, "").split("/").map((row) => [...row]);
  const flat = kind === "maze" ? text.replaceAll("\n", "").replaceAll(".", " ") : text;
  return Array.from({ length: rows }, (_, r) => [...flat.slice(r * cols, (r + 1) * cols)]);
}

export function name(kind, symbol) {
  if (kind === "maze") return { "#": "wall", " ": "open", S: "start", G: "goal", o: "path" }[symbol] ?? symbol;
  if (kind === "sudoku") return symbol === "." ? "empty" : symbol;
  if (kind === "arc") return `colour ${symbol}`;
  return symbol;
}

/** Rules that the question itself breaks: [{cells: [[r, c]], reason}]. */
export function contradictions(kind, cells, box) {
  if (kind !== "sudoku") return [];
  const side = cells.length;
  const units = [];
  for (let i = 0; i < side; i++) {
    units.push([`row ${i + 1}`, cells.map((_, j) => [i, j])], [`column ${i + 1}`, cells.map((_, j) => [j, i])]);
  }
  const [height, width] = box ?? [0, 0];
  if (height && width) {
    let number = 0;
    for (let r = 0; r < side; r += height)
      for (let c = 0; c < side; c += width)
        units.push([`box ${++number}`, Array.from({ length: side }, (_, k) => [r + Math.floor(k / width), c + (k % width)])]);
  }
  const found = [];
  for (const [unit, places] of units) {
    const seen = new Map();
    for (const place of places) {
      const symbol = cells[place[0]][place[1]];
      if (symbol !== ".") seen.set(symbol, [...(seen.get(symbol) ?? []), place]);
    }
    for (const [symbol, where] of seen)
      if (where.length > 1) found.push({ cells: where, reason: `${symbol} appears ${where.length} times in ${unit}` });
  }
  return found;
}
