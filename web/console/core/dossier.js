// What lies around the selected alert and is asked for when it is looked at: whom to call, calls, who was told, what is near, the floor plan, what cameras see, what 119 was told.
import { signal } from "../vendor/signals.mjs";
import { monotonic } from "./clock.js";

/** Nobody reads an alert that a held arrow key passes by. */
const SETTLED_MS = 150;
/** By part: the last piece of its path, and how often it is asked for again while the alert is looked at. */
const PARTS = {
  contacts: { path: "contacts", againMs: 60_000 },
  calls: { path: "calls", againMs: 10_000 },
  letters: { path: "letters", againMs: 10_000 },
  near: { path: "near", againMs: 60_000 },
  plan: { path: "plan", againMs: 10_000 },
  cameras: { path: "cameras", againMs: 30_000 },
  snapshots: { path: "snapshots", againMs: 5_000 },
  messages: { path: "handover", againMs: 10_000 },
};

/** @typedef {{id: string, data: any, error: string}} Part `error`: why the newest answer did not come; `data` is then older */
const NOTHING = { id: "", data: null, error: "" };

export class Dossier {
  /** `api`: core/api.js. */
  constructor({ api, steady = monotonic, later = (act, ms) => setTimeout(act, ms) }) {
    this.api = api;
    this.steady = steady;
    this.later = later;
    this.id = "";
    this.stamp = "";
    /** @type {Record<string, import("../vendor/signals.mjs").Signal<Part>>} */
    this.parts = Object.fromEntries(Object.keys(PARTS).map((name) => [name, signal(NOTHING)]));
    /** @type {Record<string, number>} steady ms at which each part was asked for last */
    this.asked = {};
    /** @type {Record<string, number>} which question of each part is the newest: an older answer changes nothing */
    this.turns = {};
  }

  /** Looks at an alert; `stamp` differs once it has changed. Without an id it looks at none, and asks for nothing. */
  look(id, stamp) {
    if (id === this.id && stamp === this.stamp) return;
    const other = id !== this.id;
    this.id = id;
    this.stamp = stamp;
    if (!id) return;
    if (!other) return this.all();
    this.asked = {};
    this.later(() => this.id === id && this.all(), SETTLED_MS);
  }

  /** What is known of an alert; nothing of another one. @returns {Part} */
  of(name, id) {
    const part = this.parts[name].value;
    return part.id === id ? part : NOTHING;
  }

  /** @returns {any[]} the rows of a part, none while they are not known */
  rows(name, id) {
    return this.of(name, id).data?.items ?? [];
  }

  all() {
    for (const name of Object.keys(PARTS)) this.ask(name);
  }

  /** Asks again for what was asked long enough ago. */
  tick() {
    if (!this.id) return;
    for (const [name, { againMs }] of Object.entries(PARTS)) {
      if (name in this.asked && this.steady() - this.asked[name] >= againMs) this.ask(name);
    }
  }

  async ask(name) {
    const { id } = this;
    if (!id) return;
    const turn = (this.turns[name] ?? 0) + 1;
    this.turns[name] = turn;
    this.asked[name] = this.steady();
    const answer = await this.api.around(id, PARTS[name].path);
    if (id !== this.id || turn !== this.turns[name]) return;
    this.parts[name].value = answer.ok ? { id, data: answer.data, error: "" } : { id, data: this.of(name, id).data, error: answer.message };
  }

  /** At sign-out nothing of it stays. */
  forget() {
    this.id = "";
    this.stamp = "";
    this.asked = {};
    for (const part of Object.values(this.parts)) part.value = NOTHING;
  }
}

/** The newest call that somebody answered, of the calls oldest first. */
export const lastAnswered = (calls) => calls.filter((call) => call.result === "answered" && call.purpose !== "119").at(-1) ?? null;

/** Letters in the order they are read in: what failed, then what waits, then the newest; a cancelled one last. */
export function lettersInOrder(letters) {
  const rank = (letter) => (hasFailed(letter) ? 0 : { waiting: 1, sent: 2 }[letter.state] ?? 3);
  return [...letters].sort((a, b) => rank(a) - rank(b) || Date.parse(b.created_at) - Date.parse(a.created_at));
}

/** It did not reach whom it was for: given up, or taken by its channel and not delivered, or on its way with trouble. */
export const hasFailed = (letter) => letter.state === "failed" || letter.undelivered || (letter.state === "waiting" && Boolean(letter.trouble));
