// The text of a message as elements: paragraphs, lists, bold, code. What it says is only ever text.

import { el, toast } from "./dom.js";

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("This browser does not let the page copy", true);
  }
}

/** Return elements for a text; blocks of the language `grid` are left out where the boards are drawn. */
export function drawText(text, { withGrids = true } = {}) {
  const parts = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const fence = /^\s*```(\S*)/.exec(lines[at]);
    if (fence) {
      const code = [];
      for (at++; at < lines.length && !/^\s*```/.test(lines[at]); at++) code.push(lines[at]);
      if (withGrids || fence[1] !== "grid") parts.push(codeBlock(code.join("\n")));
      continue;
    }
    if (/^\s*[-*]\s+/.test(lines[at])) {
      const items = [];
      for (; at < lines.length && /^\s*[-*]\s+/.test(lines[at]); at++) items.push(el("li", {}, ...inline(lines[at].replace(/^\s*[-*]\s+/, ""))));
      at--;
      parts.push(el("ul", { class: "bullets" }, ...items));
      continue;
    }
    if (!lines[at].trim()) continue;
    const paragraph = [];
    for (; at < lines.length && lines[at].trim() && !/^\s*(```|[-*]\s+)/.test(lines[at]); at++) paragraph.push(lines[at]);
    at--;
    parts.push(el("p", {}, ...inline(paragraph.join("\n").replace(/^#{1,6}\s+/, ""))));
  }
  return parts;
}

function codeBlock(code) {
  const copy = el("button", { type: "button", class: "link", text: "Copy", onclick: () => copyText(code) });
  return el("div", { class: "codeblock" }, el("pre", { tabindex: "0", role: "region", "aria-label": "Code" }, el("code", { text: code })), copy);
}

function inline(text) {
  return text.split(/(\*\*[^*\n]+\*\*|`[^`\n]+`)/).filter(Boolean).map((part) => {
    if (part.length > 4 && part.startsWith("**")) return el("b", { text: part.slice(2, -2) });
    if (part.length > 2 && part.startsWith("`")) return el("code", { text: part.slice(1, -1) });
    return document.createTextNode(part);
  });
}
