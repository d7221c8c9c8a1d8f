// Curves drawn as SVG: halting and confidence over the steps of an answer, loss and accuracy over a run.

import { svg } from "./dom.js";

/** Bars of the halting probability and a line of the mean confidence; `now` is the step shown. */
export function haltingCurve(host, steps, now) {
  const [width, height, left, bottom, top] = [300, 120, 30, 18, 8];
  const plot = height - bottom - top;
  const count = Math.max(steps.length, 4);
  const wide = (width - left - 4) / count;
  const y = (share) => top + plot * (1 - share);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": describe(steps) });
  for (const share of [0, 0.5, 1]) {
    root.append(svg("line", { class: share === 0.5 ? "half" : "axis", x1: left, x2: width - 2, y1: y(share), y2: y(share) }));
    const text = svg("text", { x: left - 5, y: y(share) + 4, "text-anchor": "end" });
    text.textContent = `${100 * share}`;
    root.append(text);
  }
  steps.forEach((step, i) => {
    const bar = Math.max(plot * step.halt_probability, 1);
    root.append(svg("rect", { class: i + 1 === now ? "bar now" : "bar", x: left + i * wide + wide * 0.18, width: wide * 0.64, y: top + plot - bar, height: bar, rx: 2 }));
  });
  const points = steps.map((step, i) => [left + (i + 0.5) * wide, y(step.meanConfidence)]);
  if (points.length > 1) root.append(svg("polyline", { class: "line", points: points.map((p) => p.join(",")).join(" ") }));
  if (points[now - 1] || points.length === 1) {
    const [cx, cy] = points[now - 1] ?? points[0];
    root.append(svg("circle", { class: "now-dot", cx, cy, r: 4.5 }));
  }
  const every = Math.ceil(count / 8);
  for (let i = 0; i < count; i += every) {
    const text = svg("text", { x: left + (i + 0.5) * wide, y: height - 3, "text-anchor": "middle" });
    text.textContent = i + 1;
    root.append(text);
  }
  host.replaceChildren(root);
}

function describe(steps) {
  if (!steps.length) return "No steps yet";
  const last = steps.at(-1);
  return `After ${steps.length} steps the model halts with ${Math.round(100 * last.halt_probability)} percent probability, mean confidence ${Math.round(100 * last.meanConfidence)} percent`;
}

/** A line chart over steps. series: [{points: [[x, y]], className, dots}]; `y` bounds are found unless given. */
export function lineChart(host, { series, label, low, high, format = (value) => value }) {
  const [width, height, left, right, bottom, top] = [720, 210, 52, 12, 24, 10];
  const all = series.flatMap((one) => one.points);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  if (!all.length) {
    const text = svg("text", { x: width / 2, y: height / 2, "text-anchor": "middle" });
    text.textContent = "nothing recorded yet";
    root.append(text);
    return host.replaceChildren(root);
  }
  const xs = all.map((p) => p[0]);
  const ys = all.map((p) => p[1]);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs, Math.min(...xs) + 1)];
  const y0 = low ?? Math.min(...ys);
  const y1 = Math.max(high ?? Math.max(...ys), y0 + 1e-9);
  const x = (value) => left + ((width - left - right) * (value - x0)) / (x1 - x0);
  const y = (value) => top + (height - top - bottom) * (1 - (value - y0) / (y1 - y0));
  for (let i = 0; i <= 4; i++) {
    const value = y0 + ((y1 - y0) * i) / 4;
    root.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    const text = svg("text", { x: left - 7, y: y(value) + 4, "text-anchor": "end" });
    text.textContent = format(value);
    const at = svg("text", { x: x(x0 + ((x1 - x0) * i) / 4), y: height - 6, "text-anchor": i === 4 ? "end" : i ? "middle" : "start" });
    at.textContent = Math.round(x0 + ((x1 - x0) * i) / 4).toLocaleString("en");
    root.append(text, at);
  }
  for (const one of series) {
    if (!one.points.length) continue;
    root.append(svg("polyline", { class: one.className, points: one.points.map((p) => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(" ") }));
    if (one.dots) for (const p of one.points) root.append(svg("circle", { class: "dot", cx: x(p[0]), cy: y(p[1]), r: 3.5 }));
  }
  return host.replaceChildren(root);
}
