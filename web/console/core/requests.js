// What an operator sends that is not an act on one alert: a report, a window. Never doubled, its result never in doubt.
import { signal } from "../vendor/signals.mjs";
import { actionKey } from "./api.js";
import { remembered } from "./newest.js";

/**
 * @typedef {{phase: "doing" | "done" | "refused" | "unanswered" | "blocked", code?: string, message?: string, english?: string, data?: any, current?: any, details?: any}} Result
 * unanswered: it may have been done; sent once more it is the same request, by its Idempotency-Key · blocked: not sent
 * current: what the server says of how things stand · details: all that it says of a refusal
 */
export class Requests {
  /** `mayWrite()`: whether the feed is live. */
  constructor({ api, mayWrite }) {
    this.api = api;
    this.mayWrite = mayWrite;
    /** @type {import("../vendor/signals.mjs").Signal<Map<string, Result>>} by name */
    this.results = signal(new Map());
    /** @type {Map<string, {said: string, key: string}>} what is unanswered */
    this.pending = new Map();
  }

  result(name) {
    return this.results.value.get(name);
  }

  record(name, result) {
    this.results.value = remembered(new Map(this.results.value), name, result);
    return result;
  }

  forget(name) {
    if (!this.results.value.has(name)) return;
    const left = new Map(this.results.value);
    left.delete(name);
    this.results.value = left;
  }

  leave() {
    this.results.value = new Map();
    this.pending.clear();
  }

  /** @returns {Promise<Result | undefined>} undefined while the same is on its way */
  async send(name, path, body, method = "POST") {
    if (this.result(name)?.phase === "doing") return undefined;
    if (!this.mayWrite()) return this.record(name, { phase: "blocked" });
    const said = JSON.stringify([method, path, body]);
    const before = this.pending.get(name);
    const key = before?.said === said ? before.key : actionKey();
    remembered(this.pending, name, { said, key });
    this.record(name, { phase: "doing" });
    const answer = await this.api.request(method, path, { body, key });
    if (!answer.ok && (answer.status === 0 || answer.status >= 500)) return this.record(name, { phase: "unanswered", code: answer.code, message: answer.message, english: answer.english });
    this.pending.delete(name);
    if (answer.ok) return this.record(name, { phase: "done", data: answer.data });
    return this.record(name, { phase: "refused", code: answer.code, message: answer.message, english: answer.english, current: answer.details?.current, details: answer.details });
  }
}
