// The server's API: requests with the token, errors with their hints, and events as they come.

import { $ } from "./dom.js";

const KEY = "trm-token";

/** Take the token out of the address (#token=…), so that it is neither bookmarked nor shared. */
export function takeToken() {
  const match = /[#&]token=([^&]+)/.exec(location.hash);
  if (!match) return;
  sessionStorage.setItem(KEY, decodeURIComponent(match[1]));
  history.replaceState(null, "", location.pathname + location.search + location.hash.replace(match[0], "").replace(/^&/, "#"));
}

export class ApiError extends Error {
  constructor(status, code, message, hint) {
    super(message);
    Object.assign(this, { status, code, hint: hint || "" });
  }
  get words() {
    return this.hint ? `${this.message}. ${this.hint}` : this.message;
  }
}

let asking = null;
function askForToken() {
  asking ??= new Promise((resolve) => {
    const dialog = $("token-dialog");
    const done = () => {
      const value = $("token-input").value.trim();
      if (!value) return;
      sessionStorage.setItem(KEY, value);
      $("token-input").value = "";
      dialog.close();
      asking = null;
      resolve();
    };
    $("token-ok").onclick = done;
    $("token-input").onkeydown = (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        done();
      }
    };
    dialog.showModal();
  });
  return asking;
}

export async function request(path, { method = "GET", json, body, type, accept, signal } = {}) {
  const headers = {};
  const token = sessionStorage.getItem(KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (accept) headers.Accept = accept;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  else if (type) headers["Content-Type"] = type;
  let response;
  try {
    response = await fetch(path, { method, headers, body: json === undefined ? body : JSON.stringify(json), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "The server does not answer", "Is it still running?");
  }
  if (response.status === 401) {
    $("token-error").textContent = token ? "That token was not accepted." : "";
    sessionStorage.removeItem(KEY);
    await askForToken();
    return request(path, { method, json, body, type, accept, signal });
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function errorOf(response) {
  const found = await response.json().catch(() => ({}));
  const { code = "error", message = `the server answered ${response.status}`, hint = "" } = found.error ?? {};
  const wait = response.headers.get("Retry-After");
  return new ApiError(response.status, code, message, hint || (wait ? `Try again in ${wait} s.` : ""));
}

export const get = async (path, options) => (await request(path, options)).json();
export const post = async (path, json, options) => (await request(path, { ...options, method: "POST", json })).json();

/** Yield server-sent events {event, data} of a response, whole ones only. */
export async function* events(path, options) {
  const response = await request(path, options);
  for await (const block of blocks(response, "\n\n")) {
    let name = "message";
    let data = "";
    for (const line of block.split("\n")) {
      if (line.startsWith("event: ")) name = line.slice(7);
      else if (line.startsWith("data: ")) data += line.slice(6);
    }
    if (data) yield { event: name, data: JSON.parse(data) };
  }
}

/** Yield the lines of JSON of a response as values. */
export async function* lines(path, options) {
  const response = await request(path, options);
  for await (const line of blocks(response, "\n")) if (line.trim()) yield JSON.parse(line);
}

async function* blocks(response, separator) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
    const parts = rest.split(separator);
    rest = parts.pop();
    yield* parts;
    if (done) break;
  }
  if (rest.trim()) yield rest;
}
