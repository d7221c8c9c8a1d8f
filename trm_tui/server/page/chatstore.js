// Conversations, kept in this browser alone: listed, exported, imported, deleted.

const KEY = "trm-chats";
const MOST = 100;
const LONGEST = 200_000;
const ROLES = new Set(["user", "assistant"]);

export class ChatStore {
  constructor(storage = localStorage) {
    this.storage = storage;
    this.chats = this.#read();
  }

  /** The conversations, the newest first: {id, title, time, turns}. */
  list() {
    return this.chats;
  }

  get(id) {
    return this.chats.find((chat) => chat.id === id) ?? null;
  }

  /** Keep a conversation; return false where the browser has no room for it. */
  save(chat) {
    if (!chat.turns.length) return true;
    this.chats = [chat, ...this.chats.filter((one) => one.id !== chat.id)].slice(0, MOST);
    return this.#write();
  }

  remove(id) {
    this.chats = this.chats.filter((one) => one.id !== id);
    this.#write();
  }

  clear() {
    this.chats = [];
    this.#write();
  }

  exported() {
    return JSON.stringify({ "trm-chats": 1, chats: this.chats }, null, 1);
  }

  /** Take conversations from a text that was exported; return how many. Throws where it is none. */
  imported(text) {
    const found = JSON.parse(text);
    const chats = (Array.isArray(found?.chats) ? found.chats : []).map(sound).filter(Boolean);
    if (!chats.length) throw new Error("That file holds no conversations.");
    const known = new Set(chats.map((chat) => chat.id));
    this.chats = [...chats, ...this.chats.filter((chat) => !known.has(chat.id))].slice(0, MOST);
    this.#write();
    return chats.length;
  }

  #read() {
    try {
      const found = JSON.parse(this.storage.getItem(KEY) ?? "[]");
      return (Array.isArray(found) ? found : []).map(sound).filter(Boolean);
    } catch {
      return [];
    }
  }

  #write() {
    try {
      this.storage.setItem(KEY, JSON.stringify(this.chats));
      return true;
    } catch {
      return false;
    }
  }
}

export const newChat = () => ({ id: `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`, title: "", time: Date.now(), turns: [] });

/** Return a conversation with what this page draws, and nothing else; null for what is none. */
function sound(chat) {
  if (typeof chat?.id !== "string" || !Array.isArray(chat.turns)) return null;
  const turns = chat.turns.filter((turn) => ROLES.has(turn?.role) && typeof turn.content === "string").map((turn) => ({
    role: turn.role,
    content: turn.content.slice(0, LONGEST),
    ...(turn.reply && typeof turn.reply === "object" ? { reply: turn.reply } : {}),
    ...(turn.stopped === true ? { stopped: true } : {}),
    ...(typeof turn.error === "string" ? { error: turn.error } : {}),
  }));
  return { id: chat.id.slice(0, 80), title: String(chat.title ?? "").slice(0, 120), time: Number(chat.time) || 0, turns };
}
