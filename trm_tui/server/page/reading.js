// Text that is typed, pasted or dropped becomes a puzzle: the server reads it, by any of its tasks.

import { ApiError, post } from "./api.js";

/**
 * Read a puzzle from text, as the model's kind where that reads it, else as whatever it is. One that breaks a
 * rule is read too, with its faults, as long as its grid is one.
 */
export async function readText(text, model) {
  const trimmed = text.trim();
  let body = { puzzle: trimmed.startsWith("task:") ? trimmed : text.replace(/^\n+|\s+$/g, "") };
  if (trimmed.startsWith("{")) body = { task: arcTask(trimmed) };
  const asked = model && !body.task ? [{ model }, {}] : [{}];
  let found = null;
  for (const extra of asked) {
    const read = await post("api/validate", { ...body, ...extra });
    found ??= read;
    if (read.readable) {
      found = read;
      break;
    }
    if (read.question && !found.question) found = read;
  }
  if (!found.question) throw new ApiError(0, "unreadable", found.reason);
  const solution = body.task?.test[0].output;
  return {
    ...found, title: "Your puzzle", task: body.task, rows: undefined,
    solution: solution ? solution.map((row) => row.join("")).join("/") : "",
  };
}

function arcTask(text) {
  let task;
  try {
    task = JSON.parse(text);
  } catch {
    throw new ApiError(0, "invalid_json", "This is not valid JSON");
  }
  if (!Array.isArray(task.train) || !Array.isArray(task.test)) throw new ApiError(0, "invalid", 'An ARC task has "train" and "test"');
  return task;
}
